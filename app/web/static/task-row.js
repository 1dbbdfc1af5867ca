// One task in the list.

import { fullTime, isPast, shortDue } from "./dates.js";
import { fromTemplate } from "./dom.js";

/**
 * Make the row of a task.
 * @param {{onOpen: (task) => void, onStatus: (task, status) => void, onDelete: (task) => void}} handlers
 * @returns {{root: HTMLElement, draw: (task) => void}} `draw` shows another state of the same task
 */
export function makeRow(handlers) {
  const { root, parts } = fromTemplate("task-row");
  let task;

  const open = () => handlers.onOpen(task);
  parts.open.addEventListener("click", open);
  parts.edit.addEventListener("click", open);
  parts.delete.addEventListener("click", () => handlers.onDelete(task));
  parts.tick.addEventListener("click", () => handlers.onStatus(task, task.status === "done" ? "todo" : "done"));
  parts.status.addEventListener("change", () => handlers.onStatus(task, parts.status.value));

  function draw(next) {
    task = next;
    const { title, description, status, due_at: dueAt } = task;
    root.dataset.status = status;
    root.dataset.id = task.id;
    parts.title.textContent = title;
    parts.description.textContent = description;
    parts.description.hidden = !description;
    parts.status.value = status;
    parts.status.dataset.status = status;
    parts.tick.setAttribute("aria-pressed", String(status === "done"));
    parts.due.hidden = !dueAt;
    if (dueAt) {
      const late = status !== "done" && isPast(dueAt);
      parts.due.dateTime = dueAt;
      parts.due.title = `Due ${fullTime(dueAt)}`;
      parts.due.classList.toggle("late", late);
      parts["due-text"].textContent = late ? `${shortDue(dueAt)}, overdue` : shortDue(dueAt);
    }
    parts.tick.setAttribute("aria-label", `Done: ${title}`);
    parts.status.setAttribute("aria-label", `Status of ${title}`);
    parts.edit.setAttribute("aria-label", `Edit ${title}`);
    parts.delete.setAttribute("aria-label", `Delete ${title}`);
  }

  return { root, draw };
}
