// One's own account: name, password, and where one is logged in.

import * as api from "./api.js";
import { deletionForm } from "./account-deletion.js";
import { confirm } from "./confirm.js";
import { dataCopy } from "./data-copy.js";
import { fullTime, longDate } from "./dates.js";
import { fromTemplate, onSubmit, wordsOf } from "./dom.js";
import { notificationPreferences } from "./notification-preferences.js";
import { SHORTEST_PASSWORD } from "./passwords.js";
import { phoneNumber } from "./phone-number.js";
import { pictureForm } from "./profile-picture.js";
import { logOutEverywhere } from "./session.js";
import { toast } from "./toast.js";
import { awaitsVerification } from "./verification.js";

/** @param {{user: object, onUser: (user) => void, onLoggedOut: (notice: string) => void}} options */
export function view({ user, onUser, onLoggedOut }) {
  const { fragment, parts } = fromTemplate("view-profile");
  const about = parts.about.elements;
  const password = parts.password.elements;

  about.name.value = user.name;
  parts.account.value = user.email;
  parts.email.textContent = user.email;
  parts.since.textContent = longDate(user.created_at);
  parts.since.dateTime = user.created_at;

  parts.unverified.hidden = !awaitsVerification(user);
  parts["unverified-email"].textContent = user.email;
  parts.verify.addEventListener("click", async () => {
    parts.verify.disabled = true;
    try {
      await api.sendVerification();
      toast("A link is on its way. It is good for 3 days.");
    } catch (error) {
      complain(error);
    } finally {
      parts.verify.disabled = false;
    }
  });

  const drawPicture = pictureForm(parts, user, onUser);

  onSubmit(parts.about, nameProblems, async () => {
    const changed = await api.rename(about.name.value.trim());
    about.name.value = changed.name;
    drawPicture(changed);
    onUser(changed);
    toast("Your name is saved.");
  });

  onSubmit(parts.password, passwordProblems, async () => {
    await api.changePassword(password.current.value, password.next.value);
    parts.password.reset();
    parts.account.value = user.email;
    toast("Your password is changed. Other sessions have ended.");
    await loadSessions();
  });

  function nameProblems() {
    return new Map(about.name.value.trim() ? [] : [["name", "Tell us what to call you."]]);
  }

  function passwordProblems() {
    const problems = new Map();
    if (!password.current.value) problems.set("current_password", "Your current password is missing.");
    if (password.next.value.length < SHORTEST_PASSWORD) {
      problems.set("new_password", `A password has at least ${SHORTEST_PASSWORD} characters.`);
    }
    return problems;
  }

  // --- sessions

  async function loadSessions() {
    try {
      const { items } = await api.listSessions();
      parts.sessions.replaceChildren(...items.map(sessionRow));
      sayOfSessions("");
    } catch (error) {
      sayOfSessions(wordsOf(error));
    }
  }

  function sayOfSessions(text) {
    parts["sessions-state"].textContent = text;
    parts["sessions-state"].hidden = !text;
  }

  function sessionRow({ id, created_at: from, last_used_at: last, current }) {
    const row = fromTemplate("session-row");
    row.parts.title.textContent = current ? "This session" : "Another session";
    row.parts.times.textContent = `Logged in ${fullTime(from)}, last used ${fullTime(last)}`;
    row.parts.end.hidden = current;
    row.parts.end.setAttribute("aria-label", `End the session logged in ${fullTime(from)}`);
    row.parts.end.addEventListener("click", () => endSession(id, row));
    return row.root;
  }

  async function endSession(id, row) {
    row.parts.end.disabled = true;
    try {
      await api.endSession(id).catch((error) => {
        if (error.status !== 404) throw error; // it has ended by itself
      });
      row.root.remove();
      document.getElementById("main").focus({ preventScroll: true });
      toast("The session has ended.");
    } catch (error) {
      row.parts.end.disabled = false;
      complain(error);
    }
  }

  parts.everywhere.addEventListener("click", async () => {
    const sure = await confirm({
      heading: "Log out everywhere?",
      text: "Every session of your account ends, this one too.",
      yes: "Log out everywhere",
    });
    if (!sure) return;
    parts.everywhere.disabled = true;
    try {
      await logOutEverywhere();
      onLoggedOut("You are logged out on all devices.");
    } catch (error) {
      parts.everywhere.disabled = false;
      complain(error);
    }
  });

  parts["deletion-account"].value = user.email;
  deletionForm(parts.deletion, () => onLoggedOut("Your account is deleted."));

  const loadCopy = dataCopy(parts);

  const loadPreferences = notificationPreferences(parts);
  const loadPhone = phoneNumber(parts);
  const loads = [loadSessions, loadPreferences, loadPhone, loadCopy];
  return { fragment, title: "Profile", start: () => Promise.all(loads.map((load) => load())) };
}

function complain(error) {
  if (error.status !== 401) toast(wordsOf(error), { alert: true }); // after 401 the log-in page says it
}
