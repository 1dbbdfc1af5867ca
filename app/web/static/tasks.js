// The tasks on the page: what has been loaded, what is being deleted. The view draws it at each "change".

import * as api from "./api.js";
import { toQuery } from "./filters.js";

export class TaskList extends EventTarget {
  /** Tasks in the server's order, those about to be deleted included. */
  #items = [];
  #removed = new Set();
  #deletions = new Set();
  #cursor = null;
  #query = {};
  #filters = null;
  #request = null;

  /** "loading" (nothing to show yet), "refreshing" (older content stays), "ready" or "failed". */
  state = "loading";
  /** Why the state is "failed". */
  error = null;

  get items() {
    return this.#items.filter(({ id }) => !this.#removed.has(id));
  }

  get hasMore() {
    return this.#cursor !== null;
  }

  /** Show what these filters let through, from the first page on. An earlier request still under way is dropped. */
  async show(filters) {
    this.#filters = filters;
    await this.#load(api.PAGE_SIZE);
  }

  /** Ask again for as much as is on the page. */
  async refresh() {
    await this.#load(Math.min(api.LARGEST_PAGE, Math.max(api.PAGE_SIZE, this.#items.length)));
  }

  async #load(limit) {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.#set(this.#items.length ? "refreshing" : "loading");
    // The range of "due before now" is fixed here: a cursor belongs to one query.
    const query = toQuery(this.#filters);
    try {
      const page = await api.listTasks({ ...query, limit }, request.signal);
      this.#query = query;
      this.#items = page.items;
      this.#cursor = page.next_cursor;
      this.#set("ready");
    } catch (error) {
      if (request.signal.aborted) return;
      this.#items = [];
      this.#cursor = null;
      this.#set("failed", error);
    }
  }

  /** Append the next page. Throws the Problem; the page then stays as it is. */
  async more() {
    const { signal } = this.#request;
    let page;
    try {
      page = await api.listTasks({ ...this.#query, limit: api.PAGE_SIZE, cursor: this.#cursor }, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (signal.aborted) return;
    const known = new Set(this.#items.map(({ id }) => id));
    this.#items.push(...page.items.filter(({ id }) => !known.has(id)));
    this.#cursor = page.next_cursor;
    this.#set("ready");
  }

  async create(task) {
    const created = await api.createTask(task);
    await this.refresh();
    return created;
  }

  /**
   * Change a task; with a `version`, only if it still has that one. The new state shows at once where it is in place,
   * and is taken back if the server says no.
   */
  async update(id, change, version) {
    const before = this.#items.find((task) => task.id === id);
    if (before) this.#replace({ ...before, ...change });
    try {
      this.#replace(await api.updateTask(id, change, version));
    } catch (error) {
      if (before) this.#replace(before);
      throw error;
    }
    // Order and filters may no longer hold for it.
    await this.refresh();
  }

  /** Take a task off the page; it is deleted by `confirmRemoval`, or comes back by `restore`. */
  remove(id) {
    this.#removed.add(id);
    this.#set(this.state);
  }

  restore(id) {
    if (this.#removed.delete(id)) this.#set(this.state);
  }

  /** Delete a task that was taken off the page. When that fails it is there again. */
  async confirmRemoval(id) {
    if (!this.#removed.has(id)) return;
    const deletion = api.deleteTask(id);
    this.#deletions.add(deletion);
    try {
      await deletion.catch((error) => {
        if (error.status !== 404) throw error; // somebody was faster: gone is gone
      });
      this.#items = this.#items.filter((task) => task.id !== id);
    } finally {
      this.#deletions.delete(deletion);
      this.#removed.delete(id);
      this.#set(this.state, this.error);
    }
  }

  /** Wait for the deletions that are under way, however they end. */
  async settled() {
    await Promise.allSettled(this.#deletions);
  }

  /** The page goes away: delete what was taken off it, by requests that outlive it. */
  removeAll() {
    for (const id of this.#removed) api.deleteTask(id, { keepalive: true }).catch(() => {});
  }

  /** Have it drawn again: something that stands beside the tasks has changed. */
  redraw() {
    this.#set(this.state, this.error);
  }

  #replace(changed) {
    this.#items = this.#items.map((task) => (task.id === changed.id ? changed : task));
    this.#set(this.state, this.error);
  }

  #set(state, error = null) {
    this.state = state;
    this.error = error;
    this.dispatchEvent(new Event("change"));
  }
}
