// Starts the page: who is logged in, and which view the address asks for.

import * as api from "./api.js";
import { fromTemplate } from "./dom.js";
import { logOut, loggedIn, session } from "./session.js";
import { listenForShortcuts } from "./shortcuts.js";
import { endToasts, toast } from "./toast.js";
import { accountView } from "./view-account.js";
import { tasksView } from "./view-tasks.js";

const HOME = "tasks";
const app = document.getElementById("app");

let shown = { name: null, view: null };
let notice = "";

function address() {
  const [path, filterText = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { path, filterText };
}

function go(path) {
  if (address().path === path) route();
  else location.hash = `#/${path}`;
}

function show(name, view) {
  shown = { name, view };
  document.querySelector("dialog[open]")?.close();
  document.title = view.title ? `${view.title} · PrimeTrade Task Manager` : "PrimeTrade Task Manager";
  app.replaceChildren(view.fragment);
  window.scrollTo(0, 0);
  (view.focus ?? document.getElementById("main")).focus({ preventScroll: true });
  view.start?.();
}

async function route() {
  const { path, filterText } = address();
  if (!loggedIn()) {
    if (path !== "login" && path !== "register") return go("login");
    show(path, accountView(path, { notice, onDone: () => go(HOME) }));
    notice = "";
    return undefined;
  }
  if (path !== HOME) return go(HOME);
  if (shown.name === HOME) return shown.view.readAddress(filterText);
  return openTasks(filterText);
}

async function openTasks(filterText) {
  const starting = fromTemplate("view-starting");
  show("starting", { fragment: starting.fragment });
  try {
    const user = await api.me();
    show(HOME, tasksView({ user, filterText, onLogOut: leave }));
  } catch (error) {
    if (!loggedIn()) return; // the "ended" event has led to the log-in page
    toast(error.sentence ?? error.message, { alert: true, action: "Try again", onAction: () => openTasks(filterText) });
  }
}

async function leave() {
  try {
    await logOut();
    notice = "";
  } catch (error) {
    // Logged out here all the same; the tokens left on the server end by themselves.
    notice = `You are logged out on this device. ${error.sentence ?? error.message}`;
  }
  go("login");
}

session.addEventListener("ended", () => {
  endToasts();
  notice = "Your session has ended. Please log in again.";
  go("login");
});
addEventListener("hashchange", route);
addEventListener("pagehide", () => shown.view?.leave?.());
listenForShortcuts(() => shown.view?.shortcuts ?? {});
route();
