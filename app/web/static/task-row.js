// One task in the list.

import { fullTime, isPast, shortDue } from "./dates.js";
import { fromTemplate } from "./dom.js";

/**
 * Make the row of a task.
 * @param {{onOpen: (task) => void, onStatus: (task, status) => void, onDelete: (task) => void, onTag: (tag) => void,
 *   onPick: (task, picked: boolean) => void, isPicked: (task) => boolean}} handlers
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
  parts.pick.addEventListener("change", () => handlers.onPick(task, parts.pick.checked));
  parts.status.addEventListener("change", () => handlers.onStatus(task, parts.status.value));

  function draw(next) {
    task = next;
    const { title, description, status, due_at: dueAt, remind_at: remindAt, attachments } = task;
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
    parts.files.hidden = !attachments;
    parts["files-count"].textContent = attachments;
    parts["files-word"].textContent = attachments === 1 ? "file" : "files";
    parts.remind.hidden = !remindAt || status === "done" || isPast(remindAt);
    if (remindAt) parts["remind-text"].textContent = parts.remind.title = `Reminder ${fullTime(remindAt)}`;
    drawTags(task.tags);
    parts.pick.checked = handlers.isPicked(task);
    root.classList.toggle("picked", parts.pick.checked);
    parts.pick.setAttribute("aria-label", `Select ${title}`);
    parts.tick.setAttribute("aria-label", `Done: ${title}`);
    parts.status.setAttribute("aria-label", `Status of ${title}`);
    parts.edit.setAttribute("aria-label", `Edit ${title}`);
    parts.delete.setAttribute("aria-label", `Delete ${title}`);
  }

  // Drawn again only when they have changed, so that the one in use keeps the focus.
  function drawTags(tags) {
    const drawn = [...parts.tags.children].map(({ textContent }) => textContent);
    if (drawn.join("\n") === tags.join("\n")) return;
    parts.tags.replaceChildren(...tags.map((tag) => tagButton(tag, handlers.onTag)));
  }

  return { root, draw };
}

function tagButton(tag, onTag) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.textContent = tag;
  button.title = `Show the tasks tagged ${tag}`;
  button.addEventListener("click", () => onTag(tag));
  return button;
}
