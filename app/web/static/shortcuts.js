// Single-key shortcuts. They are off while somebody types, and while a dialog is open.

const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

/** @param {() => Record<string, () => void>} current gives the shortcuts of the page that is shown, by key */
export function listenForShortcuts(current) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const typing = event.target instanceof Element && event.target.matches(TYPING);
    if (typing && event.key !== "Escape") return;
    const action = current()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
