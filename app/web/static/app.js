// Starts the page: who is logged in, and which view the address asks for.

import * as api from "./api.js";
import { fromTemplate, wordsOf } from "./dom.js";
import { HOME, load, mayOpen } from "./pages.js";
import { logOut, loggedIn, session } from "./session.js";
import { makeShell } from "./shell.js";
import { listenForShortcuts } from "./shortcuts.js";
import { endToasts, toast } from "./toast.js";
import { awaitsVerification } from "./verification.js";
import { accountView } from "./view-account.js";
import { forgotView, resetView } from "./view-reset.js";
import { verifyView } from "./view-verify.js";

const PUBLIC = {
  login: () => accountView("login", { notice, onDone: () => go(HOME) }),
  register: () => accountView("register", { notice, onDone: () => go(HOME) }),
  forgot: forgotView,
  reset: (text) => resetView({ text, onDone: passwordReset }),
};
const app = document.getElementById("app");

let shown = { name: null, view: null };
let user = null;
let shell = null;
let notice = "";
let turn = 0;

function address() {
  const [path, text = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { path, text };
}

function go(path) {
  if (address().path === path) route();
  else location.hash = `#/${path}`;
}

function show(name, view, place) {
  shown = { name, view };
  document.querySelector("dialog[open]")?.close();
  document.title = view.title ? `${view.title} · PrimeTrade Task Manager` : "PrimeTrade Task Manager";
  place(view);
  window.scrollTo(0, 0);
  (view.focus ?? document.getElementById("main")).focus({ preventScroll: true });
  view.start?.();
}

const showAlone = (name, view) => show(name, view, ({ fragment }) => app.replaceChildren(fragment));

async function route() {
  const mine = ++turn;
  const { path, text } = address();
  if (path === "verify") {
    // Whether or not somebody is logged in: a link opens in a tab of its own, which is not.
    await shown.view?.settle?.();
    user = null;
    return showAlone(path, verifyView({ text, onDone: addressVerified }));
  }
  if (!loggedIn()) {
    user = null;
    if (!Object.hasOwn(PUBLIC, path)) return go("login");
    showAlone(path, PUBLIC[path](text));
    notice = "";
    return undefined;
  }
  if (user && shown.name === path && shown.view.readAddress) return shown.view.readAddress(text);
  try {
    await open(path, text, () => mine === turn);
  } catch (error) {
    if (!loggedIn() || mine !== turn) return undefined; // the "ended" event has led to the log-in page
    toast(wordsOf(error), { alert: true, action: "Try again", onAction: route });
  }
  return undefined;
}

async function open(path, text, stillWanted) {
  await shown.view?.settle?.();
  if (!user) {
    showAlone("starting", { fragment: fromTemplate("view-starting").fragment });
    const somebody = await api.me();
    if (!stillWanted()) return;
    user = somebody;
    shell = null;
  }
  if (!mayOpen(path, user)) {
    go(HOME);
    return;
  }
  const make = await load(path);
  if (!stillWanted()) return;
  if (!shell) {
    shell = makeShell({ user, onLogOut: leave });
    app.replaceChildren(shell.fragment);
  }
  const view = make({ user, addressText: text, onUser: changeUser, onLoggedOut: loggedOut, onUnread: shell.drawUnread });
  show(path, view, () => shell.show(path, view));
}

function changeUser(changed) {
  user = changed;
  shell.drawUser(user);
}

async function leave() {
  await shown.view.settle?.(); // while the session still lives
  try {
    await logOut();
    notice = "";
  } catch (error) {
    // Logged out here all the same; the tokens left on the server end by themselves.
    notice = `You are logged out on this device. ${wordsOf(error)}`;
  }
  go("login");
}

function loggedOut(text) {
  notice = text;
  go("login");
}

function passwordReset() {
  notice = "Your password is changed. Log in with it.";
  go("login");
}

function addressVerified() {
  if (loggedIn()) {
    toast("Your e-mail address is verified.");
    go(HOME);
  } else {
    notice = "Your e-mail address is verified. Log in to go on.";
    go("login");
  }
}

/** The link of the mail is opened in another tab: look whether it has been. */
async function lookForVerification() {
  if (!user || !shell || !awaitsVerification(user)) return;
  const asked = user;
  const now = await api.me().catch(() => null);
  if (now && user === asked) changeUser(now);
}

session.addEventListener("ended", () => {
  endToasts();
  notice = "Your session has ended. Please log in again.";
  go("login");
});
addEventListener("hashchange", route);
addEventListener("focus", lookForVerification);
addEventListener("pagehide", () => shown.view?.leave?.());
listenForShortcuts(() => shown.view?.shortcuts ?? {});
route();
