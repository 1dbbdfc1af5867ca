// Small helpers over the templates of index.html and of the pages. Whatever a user wrote is set as text, never as markup.

/** Copy a template; `parts` maps each data-part inside to its element. */
export function fromTemplate(id) {
  const fragment = document.getElementById(id).content.cloneNode(true);
  const parts = {};
  for (const element of fragment.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  return { fragment, root: fragment.firstElementChild, parts };
}

/** Read the templates of a page, once. */
export async function loadTemplates(page) {
  if (document.getElementById(`view-${page}`)) return;
  const response = await fetch(new URL(`pages/${page}.html`, import.meta.url));
  if (!response.ok) throw new Error(`The page answered with an error (${response.status}).`);
  const read = new DOMParser().parseFromString(await response.text(), "text/html");
  document.body.append(...read.querySelectorAll("template"));
}

/** What to tell somebody of a failure. */
export const wordsOf = (error) => error.sentence ?? error.message;

/** Say something to those who don't see the page change. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer.textContent !== text) announcer.textContent = text;
}

/** Call `action` once the calls have paused for `ms`. */
export function debounce(action, ms) {
  let timer;
  const debounced = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(action, ms, ...values);
  };
  debounced.cancel = () => clearTimeout(timer);
  return debounced;
}

/** Make a form wait: its submit button is disabled and shows that something is going on. */
export async function whileBusy(form, action) {
  const button = form.querySelector("[type=submit]");
  form.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    return await action();
  } finally {
    form.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

/** Take every error message out of a form. */
export function clearErrors(form) {
  for (const field of form.querySelectorAll("[data-field]")) setFieldError(field, "");
  const summary = form.querySelector(".form-error");
  if (summary) summary.hidden = true;
}

/**
 * Show what is wrong beside the fields, or above the form where no field is to blame, and go to the first one.
 * @param {Map<string, string>} fields field name → message
 * @returns {boolean} whether each message found its field
 */
export function showErrors(form, fields, summaryText = "") {
  clearErrors(form);
  let placed = 0;
  let first = null;
  for (const field of form.querySelectorAll("[data-field]")) {
    const message = fields.get(field.dataset.field);
    if (!message) continue;
    const control = setFieldError(field, message);
    first ??= control;
    placed += 1;
  }
  const complete = fields.size > 0 && placed === fields.size;
  const summary = form.querySelector(".form-error");
  if (summary && !complete) {
    summary.textContent = summaryText;
    summary.hidden = false;
  }
  first?.focus();
  return complete;
}

/**
 * Check a form, send it, and show in it what was wrong.
 *
 * @param {() => Map<string, string>} problemsOf what keeps it from being sent, by field
 * @param {() => Promise<void>} send
 * @param {(error: Error) => string} sentenceOf what the form as a whole says of an error
 */
export function onSubmit(form, problemsOf, send, sentenceOf = wordsOf) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    const problems = problemsOf();
    if (problems.size) {
      showErrors(form, problems);
      return;
    }
    try {
      await whileBusy(form, send);
    } catch (error) {
      showErrors(form, error.fields ?? new Map(), sentenceOf(error));
    }
  });
}

function setFieldError(field, message) {
  const control = field.querySelector("input, textarea, select");
  if (!control) return null; // a list of controls that has none yet
  let note = field.querySelector(".field-error");
  if (!message) {
    note?.remove();
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
    return control;
  }
  if (!note) {
    note = document.createElement("p");
    note.className = "field-error";
    note.id = `${field.dataset.field}-error-${control.id}`;
    field.append(note);
  }
  note.textContent = message;
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", note.id);
  return control;
}
