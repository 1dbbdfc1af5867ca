// What all forms with a password share.

export const SHORTEST_PASSWORD = 8;

/** Let a button show what is typed into a field. */
export function revealing(button, password) {
  button.addEventListener("click", () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}
