// Short messages at the foot of the page. Each may offer one action, such as undo.

import { fromTemplate } from "./dom.js";

const SHORT_MS = 5_000;
const LONG_MS = 8_000;

const open = new Set();

/**
 * Show a message for a while; hovering over it or focusing it holds the time.
 * @param {string} text
 * @param {{action?: string, onAction?: () => void, onEnd?: () => void, alert?: boolean}} options
 *   `onEnd` runs when the message goes without its action having been taken.
 * @returns {() => void} takes the action, if the message is still there
 */
export function toast(text, { action, onAction, onEnd, alert = false } = {}) {
  const { root, parts } = fromTemplate("toast");
  let timer;
  const close = (then) => {
    if (!open.delete(entry)) return;
    clearTimeout(timer);
    root.remove();
    then?.();
  };
  const entry = { end: () => close(onEnd) };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(entry.end, action || alert ? LONG_MS : SHORT_MS);
  };

  root.setAttribute("role", alert ? "alert" : "status");
  root.classList.toggle("alert", alert);
  parts.dismiss.addEventListener("click", entry.end);
  if (action) {
    parts.action.textContent = action;
    parts.action.hidden = false;
    parts.action.addEventListener("click", () => close(onAction));
  }
  for (const event of ["pointerenter", "focusin"]) root.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"]) root.addEventListener(event, wait);

  open.add(entry);
  document.getElementById("toasts").append(root);
  // A live region speaks of what changes inside it, so the text comes after the element.
  parts.text.textContent = text;
  wait();
  return () => close(onAction);
}

/** Take all messages away. */
export function endToasts() {
  for (const entry of open) entry.end();
}
