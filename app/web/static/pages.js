// The pages for somebody who is logged in: how each is called, for whom it is, and what it takes to show it.

import { loadTemplates } from "./dom.js";

export const HOME = "tasks";

/** `role`: only for this one. `aside`: reached otherwise than by the row of pages. */
const PAGES = {
  tasks: { label: "Tasks", module: () => import("./view-tasks.js") },
  statistics: { label: "Statistics", module: () => import("./view-statistics.js") },
  transfers: { label: "Import and export", module: () => import("./view-transfers.js") },
  profile: { label: "Profile", aside: true, module: () => import("./view-profile.js") },
  notifications: { label: "Notifications", aside: true, module: () => import("./view-notifications.js") },
  users: { label: "Users", role: "admin", module: () => import("./view-users.js") },
  audit: { label: "Audit log", role: "admin", module: () => import("./view-audit.js") },
};

const isFor = ({ role }, user) => !role || role === user.role;

/** Whether the user may see a page of this name. */
export const mayOpen = (name, user) => Object.hasOwn(PAGES, name) && isFor(PAGES[name], user);

/** The pages to choose from, as [name, label]. */
export function choices(user) {
  const shown = Object.entries(PAGES).filter(([, page]) => isFor(page, user) && !page.aside);
  return shown.map(([name, { label }]) => [name, label]);
}

/** Get what a page consists of. Throws an Error in words when it can't be had. */
export async function load(name) {
  try {
    const [{ view }] = await Promise.all([PAGES[name].module(), loadTemplates(name)]);
    return view;
  } catch (error) {
    throw new Error("The page could not be loaded. Check your connection and try again.", { cause: error });
  }
}
