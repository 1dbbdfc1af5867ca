// For administrators: the accounts, their roles, locks and sessions.

import * as api from "./api.js";
import { confirm } from "./confirm.js";
import { longDate } from "./dates.js";
import { debounce, fromTemplate, wordsOf } from "./dom.js";
import { pagedList } from "./paged.js";
import { toast } from "./toast.js";

const TYPING_PAUSE_MS = 250;

/** @param {{user: object, addressText: string}} options */
export function view({ user: self, addressText }) {
  const { fragment, parts } = fromTemplate("view-users");
  const { q } = parts.toolbar.elements;
  const list = pagedList(parts, {
    fetchPage: api.listUsers,
    draw: (account) => userRow(account, account.id === self.id),
    empty: "No account has such an address.",
  });

  function apply(text) {
    q.value = new URLSearchParams(text).get("q") ?? "";
    return list.show({ q: q.value.trim() });
  }
  const search = () => {
    typed.cancel();
    const text = q.value.trim() ? new URLSearchParams({ q: q.value.trim() }).toString() : "";
    history.replaceState(null, "", `#/users${text ? `?${text}` : ""}`);
    list.show({ q: q.value.trim() });
  };
  const typed = debounce(search, TYPING_PAUSE_MS);
  q.addEventListener("input", typed);
  parts.toolbar.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });

  return {
    fragment,
    title: "Users",
    start: () => apply(addressText),
    readAddress: apply,
    settle: typed.cancel,
    shortcuts: { "/": () => q.select() },
  };
}

function userRow(account, isSelf) {
  const { root, parts } = fromTemplate("user-row");
  let shown = account;

  function draw(next) {
    shown = next;
    parts.name.textContent = isSelf ? `${shown.name} (you)` : shown.name;
    parts.about.textContent = `${shown.email}, since ${longDate(shown.created_at)}`;
    parts.locked.hidden = !shown.disabled;
    parts.role.value = shown.role;
    parts.lock.textContent = shown.disabled ? "Unlock" : "Lock";
    parts.role.setAttribute("aria-label", `Role of ${shown.email}`);
    parts.lock.setAttribute("aria-label", `${parts.lock.textContent} ${shown.email}`);
    parts["log-out"].setAttribute("aria-label", `End sessions of ${shown.email}`);
    parts.delete.setAttribute("aria-label", `Delete ${shown.email}`);
    parts.audit.setAttribute("aria-label", `Audit log of what ${shown.email} did`);
    parts.audit.href = `#/audit?actor=${shown.id}`;
    parts.audit.hidden = shown.role !== "admin";
    // One's own account is another administrator's to change.
    for (const control of [parts.role, parts.lock, parts["log-out"], parts.delete]) control.hidden = isSelf;
    parts.role.parentElement.hidden = isSelf;
  }

  async function attempt(control, action) {
    control.disabled = true;
    try {
      await action();
    } catch (error) {
      draw(shown);
      if (error.status !== 401) toast(wordsOf(error), { alert: true });
    } finally {
      control.disabled = false;
      control.focus();
    }
  }

  parts.role.addEventListener("change", () =>
    attempt(parts.role, async () => {
      draw(await api.updateUser(shown.id, { role: parts.role.value }));
      toast(`${shown.email} is ${shown.role === "admin" ? "an administrator" : "a user"} now.`);
    }),
  );
  parts.lock.addEventListener("click", async () => {
    const lock = !shown.disabled;
    const question = {
      heading: `Lock ${shown.email}?`,
      text: "All sessions of the account end, and nobody can log in to it until it is unlocked.",
      yes: "Lock",
    };
    if (lock && !(await confirm(question))) return;
    await attempt(parts.lock, async () => {
      draw(await api.updateUser(shown.id, { disabled: lock }));
      toast(`${shown.email} is ${lock ? "locked" : "unlocked"}.`);
    });
  });
  parts["log-out"].addEventListener("click", () =>
    attempt(parts["log-out"], async () => {
      await api.logUserOut(shown.id);
      toast(`The sessions of ${shown.email} have ended.`);
    }),
  );

  parts.delete.addEventListener("click", async () => {
    const sure = await confirm({
      heading: `Delete ${shown.email}?`,
      text: "The account is closed at once, and all that belongs to it is deleted. This can't be undone.",
      yes: "Delete for good",
    });
    if (!sure) return;
    await attempt(parts.delete, async () => {
      await api.deleteUser(shown.id);
      root.remove();
      document.getElementById("main").focus({ preventScroll: true });
      toast(`${shown.email} is deleted.`);
    });
  });

  draw(account);
  return root;
}
