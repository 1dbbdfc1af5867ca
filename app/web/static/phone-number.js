// The number for SMS: stored, verified by a code, removed.

import * as api from "./api.js";
import { onSubmit } from "./dom.js";
import { toast } from "./toast.js";

/**
 * @param {Record<string, HTMLElement>} parts `phone` is the form of the number, `code` that of the code
 * @returns {() => Promise<void>} loads the number
 */
export function phoneNumber(parts) {
  const { number } = parts.phone.elements;
  const { code } = parts.code.elements;

  function show(phone) {
    parts["phone-panel"].hidden = !phone.enabled;
    number.value = phone.number ?? "";
    parts.code.hidden = !phone.number || phone.verified;
    parts["phone-remove"].hidden = !phone.number;
    parts["phone-state"].textContent = stateOf(phone);
  }

  onSubmit(parts.phone, () => new Map(number.value.trim() ? [] : [["number", "The number is missing."]]), async () => {
    const phone = await api.changePhone(number.value.trim());
    show(phone);
    if (phone.verified) return;
    toast("A code is on its way. It is good for 10 minutes.");
    code.focus();
  });

  onSubmit(parts.code, () => new Map(/^\d{6}$/.test(code.value) ? [] : [["code", "The code has six digits."]]), async () => {
    show(await api.verifyPhone(code.value));
    parts.code.reset();
    toast("Your number is verified.");
  });

  parts["phone-remove"].addEventListener("click", async () => {
    await api.deletePhone().then(load, (error) => toast(error.message, { alert: true }));
    number.focus();
  });

  async function load() {
    try {
      show(await api.phone());
    } catch {
      // Without the number the rest of the page works: the panel stays hidden.
    }
  }

  return load;
}

function stateOf({ number, verified, suspended }) {
  if (!number) return "No number yet.";
  if (suspended) return `No SMS go to your number: ${suspended}.`;
  return verified ? "Your number is verified." : "Your number is not verified yet.";
}
