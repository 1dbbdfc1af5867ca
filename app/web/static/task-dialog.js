// The dialog in which a task is written or changed.

import { fullTime, zoneName } from "./dates.js";
import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { TaskConflict } from "./task-conflict.js";
import { showFiles } from "./task-files.js";
import { TaskForm, differences, typedOf } from "./task-form.js";

const CHANGED_MEANWHILE = 412;

/**
 * Open the dialog; it closes when `save` has gone well, or when the user leaves it.
 * @param {object} task the task to change, or what is known of a new one (no `id`)
 * @param {{save: (fields: object, version?: number) => Promise<void>, reload?: () => Promise<object>, onFiles?: () => void}} handlers
 *   `save` may throw a Problem, which is then shown in the dialog; `reload` gets the task as it is now; `onFiles` runs
 *   when it has other files than before
 */
export function openTaskDialog(task, { save, reload, onFiles }) {
  const { fragment, root: dialog, parts } = fromTemplate("task-dialog");
  const element = dialog.querySelector("form");
  const form = new TaskForm(element);
  const conflict = new TaskConflict(parts, form);
  let base = task;

  parts.heading.textContent = task.id ? "Edit task" : "New task";
  parts.save.textContent = task.id ? "Save" : "Add task";
  parts.zone.textContent = `Times are local (${zoneName()}).`;
  parts["files-field"].hidden = !task.id;
  if (task.id) parts.history.textContent = `Created ${fullTime(task.created_at)}`;
  form.typed = typedOf(task);

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problems = form.problems();
    if (problems.size) {
      showErrors(element, problems);
      return;
    }
    clearErrors(element);
    try {
      if (await whileBusy(element, saveUnlessChanged)) dialog.close();
    } catch (error) {
      showErrors(element, error.fields ?? new Map(), wordsOf(error));
    }
  });

  /** @returns {Promise<boolean>} whether it is saved */
  async function saveUnlessChanged() {
    try {
      await save(form.fieldsOf(base), base.version);
      return true;
    } catch (error) {
      if (error.status !== CHANGED_MEANWHILE) throw error;
    }
    const before = base;
    base = await reload();
    // A version with other files but the same words is no reason to ask.
    if (differences(before, base).length === 0) return saveUnlessChanged();
    conflict.show(before, base);
    return false;
  }

  for (const button of [parts.close, parts.cancel]) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());

  document.body.append(fragment);
  dialog.showModal();
  element.elements.title.focus();
  if (task.id) showFiles(element, parts, task, onFiles);
}
