// The page that the link of a verification mail leads to. It asks for a click: programs that scan mails open links too.

import { end, page, sentenceOf } from "./account-page.js";
import { onSubmit } from "./dom.js";
import { send } from "./http.js";

/**
 * @param {{text: string, onDone: () => void}} options `text` is the address behind the question mark, `onDone` runs once
 *   the address is verified
 * @returns {{fragment: DocumentFragment, title: string, focus: HTMLElement}}
 */
export function verifyView({ text, onDone }) {
  const token = new URLSearchParams(text).get("token");
  history.replaceState(null, "", "#/verify"); // nor shall it stand in the history
  const { fragment, form, parts } = page({
    heading: "Verify your e-mail address",
    question: "Need another link?",
    submit: "Verify address",
  });
  parts.other.href = "#/profile";
  parts.other.textContent = "Your profile sends one";
  if (!token) end(parts, form, "The link is not complete: open it from the mail once more, or send another.");
  onSubmit(form, () => new Map(), async () => {
    await send("POST", "/auth/verification/confirm", { body: { token } });
    onDone();
  }, sentenceOf);
  return { fragment, title: "Verify your e-mail address", focus: token ? parts.submit : parts.other };
}
