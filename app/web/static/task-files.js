// The files of a task: a list of them, more of them, fewer of them.

import * as api from "./api.js";
import { confirm } from "./confirm.js";
import { fullTime } from "./dates.js";
import { announce, clearErrors, fromTemplate, showErrors, wordsOf } from "./dom.js";
import { formatSize, sizeProblem } from "./file-size.js";
import { toast } from "./toast.js";
import { showUpload } from "./upload-bar.js";

/**
 * @param {HTMLFormElement} form of the dialog
 * @param {object} parts those of the dialog
 * @param {{id: string, title: string}} task
 * @param {() => void} onChange runs when it has other files than before
 */
export function showFiles(form, parts, task, onChange) {
  const { files, file: input } = parts;

  async function load() {
    try {
      const { items } = await api.listAttachments(task.id);
      files.replaceChildren(...items.map(fileRow));
      say("");
    } catch (error) {
      say(wordsOf(error));
    }
  }

  function say(text) {
    parts["files-state"].textContent = text;
    parts["files-state"].hidden = !text;
  }

  function fileRow(file) {
    const { root, parts: row } = fromTemplate("file-row");
    row.link.textContent = file.name;
    row.link.href = file.url;
    row.facts.textContent = formatSize(file.size);
    row.facts.title = `Attached ${fullTime(file.created_at)}`;
    row.delete.setAttribute("aria-label", `Delete ${file.name}`);
    row.delete.addEventListener("click", () => remove(file, root));
    return root;
  }

  async function remove(file, row) {
    const question = { heading: `Delete “${file.name}”?`, text: "It can't be brought back.", yes: "Delete" };
    if (!(await confirm(question))) return;
    clearErrors(form);
    try {
      await api.deleteAttachment(task.id, file.id).catch((error) => {
        if (error.status !== 404) throw error; // it has gone already
      });
    } catch (error) {
      complain(wordsOf(error));
      return;
    }
    row.remove();
    input.focus();
    announce(`Deleted ${file.name}`);
    onChange();
  }

  async function add(file) {
    const problem = sizeProblem(file);
    if (problem) {
      complain(problem);
      return;
    }
    try {
      const attached = await showUpload(input, file, (options) => api.attach(task.id, file, options));
      if (!attached) return;
      files.append(fileRow(attached));
      announce(`Attached ${file.name}`);
      if (!form.isConnected) toast(`“${file.name}” is attached to “${task.title}”.`);
      onChange();
    } catch (error) {
      complain(error.fields?.get("file") ?? wordsOf(error));
    }
  }

  // The dialog may have been closed while a file was on its way.
  function complain(text) {
    if (form.isConnected) showErrors(form, new Map([["file", text]]));
    else toast(text, { alert: true });
  }

  input.addEventListener("change", async () => {
    clearErrors(form);
    const chosen = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    for (const file of chosen) await add(file);
  });

  load();
}
