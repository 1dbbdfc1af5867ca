// The choice of a tag to filter by: those in use, and those that are seen on the page meanwhile.

import * as api from "./api.js";

export class TagPicker {
  #names = new Set();
  #picker;
  #select;

  constructor(picker, select) {
    this.#picker = picker;
    this.#select = select;
  }

  /** Ask which tags are in use. Without an answer there is less to choose from, and nothing else is wrong. */
  async load() {
    const { items } = await api.listTags().catch(() => ({ items: [] }));
    this.offer(items.map(({ name }) => name));
  }

  offer(names) {
    const before = this.#names.size;
    for (const name of names) this.#names.add(name);
    if (this.#names.size > before) this.#draw(this.#select.value);
  }

  /** Choose a tag, even one that no task has any longer. */
  choose(name) {
    if (name) this.#names.add(name);
    this.#draw(name);
  }

  #draw(chosen) {
    const sorted = [...this.#names].sort((one, other) => one.localeCompare(other));
    this.#select.replaceChildren(this.#select.options[0], ...sorted.map((name) => new Option(name, name)));
    this.#select.value = chosen;
    this.#picker.hidden = sorted.length === 0;
  }
}
