// What an import would do with a file, shown before it begins, with the choices that change it.

import * as api from "./api.js";
import { fullTime } from "./dates.js";
import { fromTemplate, wordsOf } from "./dom.js";

const HEAD_BYTES = 262_144; // by which the API judges a file

const FORMATS = { tasks: "this app", todoist: "Todoist", trello: "Trello", asana: "Asana", jira: "Jira" };
const CHOICES = ["format", "delimiter", "encoding", "date_format"];
const FIELDS = {
  title: "Title",
  description: "Description",
  status: "Status",
  due_at: "Due date",
  remind_at: "Reminder",
  tags: "Tags",
  completed: "Done, if filled",
};

const plural = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export class ImportPreview {
  #form;
  #parts;
  #columns = new Map();
  #said = new Map();
  #asking = null;

  /**
   * @param {HTMLFormElement} form with the file, and the choices
   * @param {object} parts those of the page
   * @param {(error: Error) => void} onError told why a file can't be read at all
   */
  constructor(form, parts, onError) {
    this.#form = form;
    this.#parts = parts;
    const show = () => this.#show().catch(onError);
    form.elements.file.addEventListener("change", () => {
      this.#forget();
      show();
    });
    form.addEventListener("reset", () => this.#forget());
    for (const name of CHOICES) {
      form.elements[name].addEventListener("change", () => {
        this.#said.set(name, form.elements[name].value);
        if (name !== "date_format") this.#columns.clear();
        show();
      });
    }
    parts["preview-columns"].addEventListener("change", ({ target }) => {
      this.#columns.set(target.dataset.column, target.value);
      show();
    });
  }

  /** What has been chosen, as the API wants it. Columns without a place are left out: that is what is shown. */
  get query() {
    return {
      ...Object.fromEntries(this.#said),
      columns: [...this.#columns].map(([name, field]) => `${name}:${field}`),
      unknown_columns: "ignore",
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
  }

  #forget() {
    this.#asking?.abort();
    this.#said.clear();
    this.#columns.clear();
    this.#parts.preview.hidden = true;
  }

  async #show() {
    const [file] = this.#form.elements.file.files;
    this.#asking?.abort();
    if (!file) return;
    const asking = new AbortController();
    this.#asking = asking;
    const button = this.#form.querySelector("[type=submit]");
    button.disabled = true; // what is not shown yet is not begun
    try {
      const found = await api.previewImport(file.slice(0, HEAD_BYTES), this.query, asking.signal);
      if (!asking.signal.aborted) this.#draw(found);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#parts.preview.hidden = true;
      throw error;
    } finally {
      if (this.#asking === asking) button.disabled = false;
    }
  }

  #draw(found) {
    const parts = this.#parts;
    for (const name of CHOICES) this.#form.elements[name].value = found[name] ?? "";
    const left = found.columns.filter(({ field }) => !field).map(({ name }) => name);
    const rows = found.whole ? plural(found.rows, "row", "rows") : `the first ${plural(found.rows, "row", "rows")}`;
    parts["preview-summary"].textContent =
      `Written by ${FORMATS[found.format]}. ${rows[0].toUpperCase()}${rows.slice(1)} read` +
      (found.refused.length ? `, ${found.refused.length} can't be imported.` : ", all can be imported.") +
      (left.length ? ` Left out: ${left.join(", ")}.` : "");
    parts["preview-problem"].textContent = found.problem ? sentence(found.problem) : "";
    parts["preview-problem"].hidden = !found.problem;
    if (found.problem) parts["preview-summary"].textContent = "This file can't be imported as it is.";
    parts["preview-columns"].replaceChildren(...found.columns.map(columnRow));
    parts["preview-tasks"].replaceChildren(...found.tasks.map(taskRow));
    parts["preview-tasks"].hidden = found.tasks.length === 0;
    parts["preview-refused"].replaceChildren(...found.refused.map(refusedRow));
    parts["preview-refused"].hidden = found.refused.length === 0;
    parts.preview.hidden = false;
  }
}

// The API says which parameter mends it; here that is a choice on the page.
function sentence({ field, message }) {
  if (field === "columns" && message.startsWith("no column")) return "Choose below which column is the title.";
  if (field === "columns" && message.startsWith("several")) return "Only one column can be that: choose “Leave out” for the others.";
  return wordsOf(new Error(message));
}

function columnRow({ name, field, example }) {
  const { root, parts } = fromTemplate("preview-column");
  parts.name.textContent = name;
  parts.example.textContent = example;
  parts.field.append(new Option("Leave out", "ignore"));
  for (const [value, words] of Object.entries(FIELDS)) parts.field.append(new Option(words, value));
  parts.field.value = field ?? "ignore";
  parts.field.dataset.column = name;
  parts.field.setAttribute("aria-label", `${name} becomes`);
  return root;
}

function taskRow({ title, due_at: due, tags, status }) {
  const item = document.createElement("li");
  const facts = [status === "done" && "done", due && `due ${fullTime(due)}`, ...tags.map((tag) => `#${tag}`)];
  const said = document.createElement("span");
  said.className = "muted";
  said.textContent = facts.filter(Boolean).join(" · ");
  item.append(`${title} `, said);
  return item;
}

function refusedRow({ line, reason, text }) {
  const item = document.createElement("li");
  const said = document.createElement("code");
  said.textContent = text;
  item.append(`Line ${line}: ${reason} `, said);
  return item;
}
