// The fields of a task in a form: from the API's values to what is typed, and back.

import { fromField, startOfDay, toField } from "./dates.js";
import { formatTags, parseTags, tagProblem } from "./tags.js";

const END_OF_WORK_HOUR = 17;
const HOUR_MS = 60 * 60 * 1000;

/** The API's fields that the form edits, as people call them. */
export const FIELDS = {
  title: "title",
  description: "description",
  status: "status",
  due_at: "due date",
  remind_at: "reminder",
  tags: "tags",
};

/** What stands in the form for a task. */
export const typedOf = (task) => ({
  title: task.title ?? "",
  description: task.description ?? "",
  status: task.status ?? "todo",
  due_at: toField(task.due_at),
  remind_at: toField(task.remind_at),
  tags: formatTags(task.tags ?? []),
});

/** The names of the fields in which two tasks differ. */
export const differences = (one, other) =>
  Object.keys(FIELDS).filter((name) => String(one[name]) !== String(other[name]));

export class TaskForm {
  #elements;

  /** @param {HTMLFormElement} form that of the template "task-dialog" */
  constructor(form) {
    this.#elements = form.elements;
    const { due_at: due, remind_at: remind } = form.elements;
    const set = (field, value) => {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    for (const chip of form.querySelectorAll("[data-days]")) {
      chip.addEventListener("click", () => {
        const day = startOfDay(new Date(), Number(chip.dataset.days));
        day.setHours(END_OF_WORK_HOUR);
        set(due, toField(day));
      });
    }
    for (const chip of form.querySelectorAll("[data-hours]")) {
      chip.addEventListener("click", () => set(remind, toField(new Date(due.value) - chip.dataset.hours * HOUR_MS)));
    }
    for (const chip of form.querySelectorAll("[data-clear]")) {
      chip.addEventListener("click", () => set(form.elements[chip.dataset.clear], ""));
    }
    due.addEventListener("input", () => this.#drawChips());
  }

  /** What is typed, by the names of FIELDS. */
  get typed() {
    return Object.fromEntries(Object.keys(FIELDS).map((name) => [name, this.#elements[name].value]));
  }

  set typed(values) {
    for (const [name, value] of Object.entries(values)) this.#elements[name].value = value;
    this.#drawChips();
  }

  /** What is typed, as the API wants it. Times that are still those of `task` keep their seconds: a field has none. */
  fieldsOf(task) {
    const { title, description, status, tags, ...times } = this.typed;
    const time = (name) => (times[name] === toField(task[name]) ? (task[name] ?? null) : fromField(times[name]));
    const dates = { due_at: time("due_at"), remind_at: time("remind_at") };
    return { title: title.trim(), description, status, tags: parseTags(tags), ...dates };
  }

  /** @returns {Map<string, string>} field name → what is wrong with it */
  problems() {
    const { title, due_at: due, remind_at: remind, tags } = this.#elements;
    const problems = new Map();
    if (!title.value.trim()) problems.set("title", "A task needs a title.");
    // A half-typed date reads as empty, and must not be saved as none.
    if (due.validity.badInput) problems.set("due_at", "Complete the date and the time, or choose “No date”.");
    if (remind.validity.badInput) problems.set("remind_at", "Complete the date and the time, or choose “No reminder”.");
    const problem = tagProblem(tags.value);
    if (problem) problems.set("tags", problem);
    return problems;
  }

  // Reminders before the due time make sense only with one.
  #drawChips() {
    const { due_at: due } = this.#elements;
    for (const chip of due.form.querySelectorAll("[data-hours]")) chip.disabled = !due.value;
  }
}
