// Which mails somebody wants: each choice is saved as it is made.

import * as api from "./api.js";
import { wordsOf } from "./dom.js";
import { toast } from "./toast.js";

/**
 * @param {HTMLFieldSetElement} fields with a checkbox a preference, named as in the API
 * @param {HTMLElement} state says what is wrong
 * @returns {() => Promise<void>} loads what is chosen
 */
export function mailPreferences(fields, state) {
  const boxes = [...fields.elements];

  function show(preferences) {
    for (const box of boxes) box.checked = preferences[box.name];
  }

  fields.addEventListener("change", async ({ target }) => {
    try {
      show(await api.changeMailPreferences({ [target.name]: target.checked }));
      toast("Your choice is saved.");
    } catch (error) {
      target.checked = !target.checked;
      if (error.status !== 401) toast(wordsOf(error), { alert: true });
    }
  });

  return async () => {
    try {
      show(await api.mailPreferences());
      fields.disabled = false;
      state.hidden = true;
    } catch (error) {
      state.textContent = wordsOf(error);
    }
  };
}
