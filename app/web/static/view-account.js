// The pages for logging in and signing up: one form, with or without a name.

import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { SHORTEST_PASSWORD, revealing } from "./passwords.js";
import { logIn, register } from "./session.js";

const PAGES = {
  login: {
    heading: "Welcome back",
    question: "New here?",
    other: "Create an account",
    otherAddress: "#/register",
    submit: "Log in",
    autocomplete: "current-password",
    send: logIn,
  },
  register: {
    heading: "Create your account",
    question: "Have one already?",
    other: "Log in",
    otherAddress: "#/login",
    submit: "Sign up",
    autocomplete: "new-password",
    send: register,
  },
};

/**
 * @param {"login" | "register"} kind
 * @param {{notice?: string, onDone: () => void}} options `notice` stands above the form, `onDone` runs once logged in
 * @returns {{fragment: DocumentFragment, title: string, focus: HTMLElement}}
 */
export function accountView(kind, { notice, onDone }) {
  const page = PAGES[kind];
  const isNew = kind === "register";
  const { fragment, parts } = fromTemplate("view-account");
  const form = fragment.querySelector("form");
  if (!isNew) form.querySelector("[data-field=name]").remove();
  const { name, email, password } = form.elements;

  parts.heading.textContent = page.heading;
  parts.question.textContent = page.question;
  parts.other.textContent = page.other;
  parts.other.href = page.otherAddress;
  parts.submit.textContent = page.submit;
  parts.hint.hidden = !isNew;
  parts.forgot.hidden = isNew;
  password.autocomplete = page.autocomplete;
  if (notice) {
    parts.error.textContent = notice;
    parts.error.hidden = false;
  }

  revealing(parts.reveal, password);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problems = problemsOf({ name, email, password }, isNew);
    if (problems.size) {
      showErrors(form, problems);
      return;
    }
    clearErrors(form);
    const given = { name: name?.value.trim(), email: email.value.trim(), password: password.value };
    try {
      await whileBusy(form, () => page.send(given));
    } catch (error) {
      showErrors(form, error.fields ?? new Map(), wordsOf(error));
      return;
    }
    onDone();
  });

  return { fragment, title: page.heading, focus: name ?? email };
}

// What needs no server to tell. The rest, such as a taken e-mail address, is the API's to say.
function problemsOf({ name, email, password }, isNew) {
  const problems = new Map();
  if (isNew && !name.value.trim()) problems.set("name", "Tell us what to call you.");
  if (!email.value.trim()) problems.set("email", "Your e-mail address is missing.");
  else if (!email.validity.valid) problems.set("email", "This is no complete e-mail address.");
  if (!password.value) problems.set("password", "Your password is missing.");
  else if (isNew && password.value.length < SHORTEST_PASSWORD) {
    problems.set("password", `A password has at least ${SHORTEST_PASSWORD} characters.`);
  }
  return problems;
}
