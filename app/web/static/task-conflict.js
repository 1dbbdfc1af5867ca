// Two versions of a task: what is typed, and what somebody else has saved meanwhile.

import { FIELDS, differences, typedOf } from "./task-form.js";

const list = new Intl.ListFormat("en");

export class TaskConflict {
  #parts;
  #form;
  #other = {};
  #showsNewer = false;

  /**
   * @param {object} parts those of the dialog
   * @param {TaskForm} form
   */
  constructor(parts, form) {
    this.#parts = parts;
    this.#form = form;
    parts.swap.addEventListener("click", () => this.#swap());
    parts.keep.addEventListener("click", () => this.end());
  }

  /** Say that `before` has become `newer`, and let the user choose which one to go on with. */
  show(before, newer) {
    this.#other = typedOf(newer);
    this.#showsNewer = false;
    const changed = differences(before, newer).map((name) => FIELDS[name]);
    this.#draw(`Somebody has changed the ${list.format(changed)} meanwhile. What you typed is not saved yet.`);
    this.#parts.swap.focus();
  }

  end() {
    if (this.#parts.conflict.contains(document.activeElement)) this.#parts.save.focus();
    this.#parts.conflict.hidden = true;
  }

  // Neither is lost: each takes the other's place, with what has been typed into it.
  #swap() {
    const typed = this.#form.typed;
    this.#form.typed = this.#other;
    this.#other = typed;
    this.#showsNewer = !this.#showsNewer;
    this.#draw(this.#showsNewer ? "This is the newer one. What you typed is kept here." : "This is what you typed.");
  }

  #draw(text) {
    this.#parts.conflict.hidden = false;
    this.#parts["conflict-text"].textContent = text;
    this.#parts.swap.textContent = this.#showsNewer ? "Bring mine back" : "Load the newer one";
    this.#parts.keep.textContent = this.#showsNewer ? "Go on with this" : "Keep editing mine";
  }
}
