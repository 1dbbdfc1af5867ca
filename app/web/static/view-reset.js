// The pages for a forgotten password: asking for the mail, and what its link leads to.

import { end, page, sentenceOf } from "./account-page.js";
import { onSubmit } from "./dom.js";
import { send } from "./http.js";
import { SHORTEST_PASSWORD, revealing } from "./passwords.js";

/** @returns {{fragment: DocumentFragment, title: string, focus: HTMLElement}} */
export function forgotView() {
  const { fragment, form, parts, fields } = page({
    heading: "Forgot your password?",
    question: "It has come back to you?",
    submit: "Send me a link",
    kept: "email",
  });
  onSubmit(form, () => problemsOfEmail(fields.email), async () => {
    await send("POST", "/auth/password-reset", { body: { email: fields.email.value.trim() } });
    end(parts, form, "Look into your mail: if the address has an account, a link is on its way. It is good for 30 minutes.");
  });
  return { fragment, title: "Forgot your password?", focus: fields.email };
}

/**
 * @param {{text: string, onDone: () => void}} options `text` is the address behind the question mark, `onDone` runs once
 *   the password is changed
 * @returns {{fragment: DocumentFragment, title: string, focus: HTMLElement}}
 */
export function resetView({ text, onDone }) {
  const token = new URLSearchParams(text).get("token");
  // It shall not stand in the history, nor in a picture of the screen.
  history.replaceState(null, "", "#/reset");
  const { fragment, form, parts, fields } = page({
    heading: "Choose a new password",
    question: "Need another link?",
    submit: "Save password",
    kept: "password",
  });
  parts.other.href = "#/forgot";
  parts.other.textContent = "Ask for one";
  parts.hint.textContent = `At least ${SHORTEST_PASSWORD} characters. Every session ends.`;
  fields.password.autocomplete = "new-password";
  revealing(parts.reveal, fields.password);
  if (!token) end(parts, form, "The link is not complete: open it from the mail once more, or ask for another.");
  onSubmit(form, () => problemsOfPassword(fields.password), async () => {
    await send("POST", "/auth/password-reset/confirm", { body: { token, password: fields.password.value } });
    onDone();
  }, sentenceOf);
  return { fragment, title: "Choose a new password", focus: token ? fields.password : parts.other };
}

function problemsOfEmail(email) {
  if (!email.value.trim()) return new Map([["email", "Your e-mail address is missing."]]);
  return new Map(email.validity.valid ? [] : [["email", "This is no complete e-mail address."]]);
}

function problemsOfPassword(password) {
  const long = password.value.length >= SHORTEST_PASSWORD;
  return new Map(long ? [] : [["password", `A password has at least ${SHORTEST_PASSWORD} characters.`]]);
}
