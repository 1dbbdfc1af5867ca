// The form of the pages for who is not logged in, with one field or none.

import { fromTemplate, wordsOf } from "./dom.js";

/**
 * @param {{heading: string, question: string, submit: string, kept?: string}} options `kept` is the one field that stays
 */
export function page({ heading, question, submit, kept }) {
  const { fragment, parts } = fromTemplate("view-account");
  const form = fragment.querySelector("form");
  for (const field of form.querySelectorAll("[data-field]")) if (field.dataset.field !== kept) field.remove();
  parts.forgot.remove();
  parts.heading.textContent = heading;
  parts.question.textContent = question;
  parts.other.textContent = "Log in";
  parts.other.href = "#/login";
  parts.submit.textContent = submit;
  return { fragment, form, parts, fields: form.elements };
}

/** Leave nothing of the form but what there is to say. */
export function end(parts, form, text) {
  parts.notice.textContent = text;
  parts.notice.hidden = false;
  parts.submit.remove();
  for (const field of form.querySelectorAll("[data-field]")) field.remove();
}

/** What is wrong with the link stands in no field of the form. */
export function sentenceOf(error) {
  const token = error.fields?.get("token");
  return token ? `The link ${token.charAt(0).toLowerCase()}${token.slice(1)}` : wordsOf(error);
}
