// Draws the list of tasks and what stands in its place while it is loading, empty or out of reach.

import { announce, fromTemplate, wordsOf } from "./dom.js";
import { makeRow } from "./task-row.js";
import { toast } from "./toast.js";

const SKELETONS = 4;
const OVERDUE_CHECK_MS = 60_000;

export class Board {
  /** Whether filters are on: an empty list then says something else. */
  filtered = false;

  #parts;
  #list;
  #handlers;
  #rows = new Map();

  /** `parts` are those of the tasks page; the handlers are a row's, and onRetry, onClear and onWrite. */
  constructor(parts, list, handlers) {
    this.#parts = parts;
    this.#list = list;
    this.#handlers = handlers;
    list.addEventListener("change", () => this.#draw());
    parts.more.addEventListener("click", () => this.#more());
    // Tasks become overdue while the page is open.
    const clock = setInterval(() => (parts.list.isConnected ? this.#draw() : clearInterval(clock)), OVERDUE_CHECK_MS);
  }

  /** Before a row goes: give the keyboard to its neighbour. */
  moveFocusFrom(id) {
    const row = this.#rows.get(id)?.root;
    if (!row?.contains(document.activeElement)) return;
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    (neighbour?.querySelector("[data-part=open]") ?? document.getElementById("main")).focus();
  }

  #draw() {
    const { state, items, error, hasMore } = this.#list;
    const { board, list, more } = this.#parts;
    board.setAttribute("aria-busy", String(state === "loading" || state === "refreshing"));
    if (state === "loading") this.#drawSkeletons();
    else this.#drawRows(items);
    list.hidden = state !== "loading" && items.length === 0;
    more.hidden = !hasMore || state === "loading" || state === "failed";
    this.#drawEmpty(state, items, error);
    if (state === "ready") announce(this.#summary(items.length, hasMore));
  }

  #summary(count, hasMore) {
    if (count === 0) return this.filtered ? "No task matches" : "No tasks";
    return `${count}${hasMore ? " or more" : ""} ${count === 1 && !hasMore ? "task" : "tasks"}`;
  }

  #drawSkeletons() {
    this.#rows.clear();
    const bones = Array.from({ length: SKELETONS }, () => fromTemplate("task-skeleton").fragment);
    this.#parts.list.replaceChildren(...bones);
  }

  // Rows are kept by id, so that the one in use keeps the focus.
  #drawRows(items) {
    const { list } = this.#parts;
    for (const bone of list.querySelectorAll(".skeleton")) bone.remove();
    const wanted = new Set(items.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.root.remove();
      this.#rows.delete(id);
    }
    items.forEach((task, index) => {
      let row = this.#rows.get(task.id);
      if (!row) {
        row = makeRow(this.#handlers);
        this.#rows.set(task.id, row);
      }
      row.draw(task);
      if (list.children[index] !== row.root) list.insertBefore(row.root, list.children[index] ?? null);
    });
  }

  #drawEmpty(state, items, error) {
    const { empty } = this.#parts;
    empty.hidden = !(state === "failed" || (state === "ready" && items.length === 0));
    if (empty.hidden) return;
    const { title, text, action, onAction, icon } = this.#emptiness(state, error);
    this.#parts["empty-icon"].firstElementChild.setAttribute("href", `#icon-${icon}`);
    this.#parts["empty-title"].textContent = title;
    this.#parts["empty-text"].textContent = text;
    this.#parts["empty-action"].textContent = action;
    this.#parts["empty-action"].onclick = onAction;
  }

  #emptiness(state, error) {
    const { onRetry, onClear, onWrite } = this.#handlers;
    if (state === "failed") {
      const text = wordsOf(error);
      return { icon: "cloud", title: "The tasks could not be loaded", text, action: "Try again", onAction: onRetry };
    }
    if (this.filtered) {
      const text = "Try other words, or show everything again.";
      return { icon: "search", title: "No task matches", text, action: "Show all tasks", onAction: onClear };
    }
    const text = "Write down the first thing that is on your mind.";
    return { icon: "tray", title: "Nothing to do yet", text, action: "Write a task", onAction: onWrite };
  }

  async #more() {
    const { more } = this.#parts;
    more.disabled = true;
    more.textContent = "Loading…";
    try {
      await this.#list.more();
    } catch (error) {
      toast(wordsOf(error), { alert: true });
    } finally {
      more.disabled = false;
      more.textContent = "Load more";
    }
  }
}
