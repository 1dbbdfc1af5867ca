// Changing many tasks at once: which are selected, and what is done with them.

import * as api from "./api.js";
import { confirm } from "./confirm.js";
import { fromField } from "./dates.js";
import { clearErrors, showErrors, whileBusy, wordsOf } from "./dom.js";
import { parseTags, tagProblem } from "./tags.js";

const count = (number) => `${number} ${number === 1 ? "task" : "tasks"}`;

export class Bulk {
  #picked = new Set();
  #parts;
  #list;
  #onDone;

  /**
   * @param {object} parts those of the tasks page
   * @param {TaskList} list
   * @param {(text: string) => void} onDone told in words what has been done
   */
  constructor(parts, list, onDone) {
    this.#parts = parts;
    this.#list = list;
    this.#onDone = onDone;
    parts["bulk-all"].addEventListener("click", () => this.#set(list.items.map(({ id }) => id)));
    parts["bulk-none"].addEventListener("click", () => this.clear());
    parts.bulk.elements.action.addEventListener("change", () => this.#draw());
    parts.bulk.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply();
    });
    // What is no longer shown must not be changed unseen.
    list.addEventListener("change", () => list.state === "ready" && this.#keepShown());
    this.#draw();
  }

  isPicked = ({ id }) => this.#picked.has(id);

  pick({ id }, picked) {
    if (picked) this.#picked.add(id);
    else this.#picked.delete(id);
    this.#set(this.#picked);
  }

  /** @returns {boolean} whether anything was selected */
  clear() {
    const some = this.#picked.size > 0;
    if (some) {
      this.#set([]);
      document.getElementById("main").focus({ preventScroll: true });
    }
    return some;
  }

  #set(ids) {
    this.#picked = new Set(ids);
    this.#draw();
    this.#list.redraw();
  }

  #keepShown() {
    const shown = new Set(this.#list.items.map(({ id }) => id));
    const kept = [...this.#picked].filter((id) => shown.has(id));
    if (kept.length === this.#picked.size) return;
    this.#picked = new Set(kept);
    this.#draw();
  }

  #draw() {
    const { bulk } = this.#parts;
    bulk.hidden = this.#picked.size === 0;
    this.#parts["bulk-count"].textContent = bulk.hidden ? "" : `${count(this.#picked.size)} selected`;
    const action = bulk.elements.action.value;
    for (const field of bulk.querySelectorAll("[data-for]")) {
      field.hidden = !field.dataset.for.split(" ").includes(action);
    }
  }

  async #apply() {
    const { bulk } = this.#parts;
    const fields = bulk.elements;
    const action = fields.action.value;
    clearErrors(bulk);
    const needsTags = action.endsWith("_tags");
    const problem = needsTags ? tagProblem(fields.tags.value) || (parseTags(fields.tags.value).length ? "" : "Which tags?") : "";
    if (problem) {
      showErrors(bulk, new Map([["tags", problem]]));
      return;
    }
    const ids = [...this.#picked];
    if (action === "delete" && !(await sureToDelete(ids.length))) return;
    const what = {
      set_status: { status: fields.status.value },
      set_due: { due_at: fromField(fields.due_at.value) },
      delete: {},
    }[action] ?? { tags: parseTags(fields.tags.value) };
    try {
      const { done, missing } = await whileBusy(bulk, () => api.changeTasks(ids, { action, ...what }));
      this.clear();
      fields.tags.value = "";
      const gone = missing.length ? ` ${count(missing.length)} had gone already.` : "";
      this.#onDone(`${count(done.length)} ${action === "delete" ? "deleted" : "changed"}.${gone}`);
    } catch (error) {
      this.#onDone(wordsOf(error), { error });
    }
    await this.#list.refresh();
  }
}

const sureToDelete = (number) =>
  confirm({ heading: `Delete ${count(number)}?`, text: "They can't be brought back.", yes: "Delete" });
