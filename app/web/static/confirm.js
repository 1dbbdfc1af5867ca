// A question before something that can't be taken back.

import { fromTemplate } from "./dom.js";

/**
 * Ask; Escape and "Cancel" mean no.
 * @param {{heading: string, text: string, yes: string}} words
 * @returns {Promise<boolean>}
 */
export function confirm({ heading, text, yes }) {
  const { fragment, root: dialog, parts } = fromTemplate("confirm-dialog");
  parts.heading.textContent = heading;
  parts.text.textContent = text;
  parts.yes.textContent = yes;
  document.body.append(fragment);
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
  });
}
