// The dialog in which a task is written or changed.

import { fromField, fullTime, startOfDay, toField, zoneName } from "./dates.js";
import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { formatTags, parseTags, tagProblem } from "./tags.js";

const END_OF_WORK_HOUR = 17;

/**
 * Open the dialog; it closes when `save` has gone well, or when the user leaves it.
 * @param {object} task the task to change, or what is known of a new one (no `id`)
 * @param {(fields: object) => Promise<void>} save may throw a Problem, which is then shown in the dialog
 */
export function openTaskDialog(task, save) {
  const { fragment, root: dialog, parts } = fromTemplate("task-dialog");
  const form = dialog.querySelector("form");
  const { title, description, status, due_at: due, tags } = form.elements;

  parts.heading.textContent = task.id ? "Edit task" : "New task";
  parts.save.textContent = task.id ? "Save" : "Add task";
  parts.zone.textContent = `(${zoneName()} time)`;
  if (task.id) parts.history.textContent = `Created ${fullTime(task.created_at)}`;
  title.value = task.title ?? "";
  description.value = task.description ?? "";
  status.value = task.status ?? "todo";
  due.value = toField(task.due_at);
  tags.value = formatTags(task.tags ?? []);

  for (const chip of form.querySelectorAll("[data-days]")) {
    chip.addEventListener("click", () => {
      const day = startOfDay(new Date(), Number(chip.dataset.days));
      day.setHours(END_OF_WORK_HOUR);
      due.value = toField(day);
    });
  }
  parts["no-due"].addEventListener("click", () => {
    due.value = "";
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const missing = problemsOf(title, due, tags);
    if (missing.size) {
      showErrors(form, missing);
      return;
    }
    clearErrors(form);
    try {
      await whileBusy(form, () => save(fieldsOf()));
      dialog.close();
    } catch (error) {
      showErrors(form, error.fields ?? new Map(), wordsOf(error));
    }
  });

  function fieldsOf() {
    return {
      title: title.value.trim(),
      description: description.value,
      status: status.value,
      tags: parseTags(tags.value),
      // The field has minutes; a due time that nobody touched keeps its seconds.
      due_at: due.value === toField(task.due_at) ? (task.due_at ?? null) : fromField(due.value),
    };
  }

  for (const button of [parts.close, parts.cancel]) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());

  document.body.append(fragment);
  dialog.showModal();
  title.focus();
}

function problemsOf(title, due, tags) {
  const problems = new Map();
  if (!title.value.trim()) problems.set("title", "A task needs a title.");
  // A half-typed date reads as empty, and must not be saved as none.
  if (due.validity.badInput) problems.set("due_at", "Complete the date and the time, or choose “No date”.");
  const problem = tagProblem(tags.value);
  if (problem) problems.set("tags", problem);
  return problems;
}
