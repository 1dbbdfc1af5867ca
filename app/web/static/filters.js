// What the list shows, kept in the address (#/tasks?status=todo&q=…) so that a reload or a bookmark shows the same.

import { dayFromField, startOfDay } from "./dates.js";

const DEFAULTS = { status: "all", q: "", tag: "", due: "", from: "", to: "", sort: "-created_at" };
const NAMES = Object.keys(DEFAULTS);

const CHOICES = {
  status: ["all", "todo", "in_progress", "done"],
  due: ["", "past", "today", "week", "range"],
  sort: ["-created_at", "created_at", "due_at", "-due_at", "title", "-title", "-updated_at"],
};

/** Read the filters from the part of the address after "?"; what makes no sense there is left at its default. */
export function parseFilters(text) {
  const given = new URLSearchParams(text);
  const fits = (name) => given.has(name) && (CHOICES[name]?.includes(given.get(name)) ?? true);
  return Object.fromEntries(NAMES.map((name) => [name, fits(name) ? given.get(name) : DEFAULTS[name]]));
}

/** The filters as the part of the address after "?"; what is at its default is left out. */
export function formatFilters(filters) {
  const changed = NAMES.filter((name) => filters[name] !== DEFAULTS[name]);
  return new URLSearchParams(changed.map((name) => [name, filters[name]])).toString();
}

/** Whether some tasks may be hidden. */
export function isFiltered({ status, q, tag, due }) {
  return Boolean(status !== "all" || q.trim() || tag || due);
}

/** The same filters as the API's query parameters. */
export function toQuery({ status, q, tag, due, from, to, sort }) {
  return { status: status === "all" ? "" : status, q: q.trim(), tag, sort, ...dueRange(due, from, to) };
}

function dueRange(due, from, to) {
  const now = new Date();
  switch (due) {
    case "past":
      return { due_before: now.toISOString() };
    case "today":
      return { due_after: startOfDay(now).toISOString(), due_before: startOfDay(now, 1).toISOString() };
    case "week":
      return { due_after: now.toISOString(), due_before: startOfDay(now, 8).toISOString() };
    case "range":
      return { due_after: dayFromField(from), due_before: dayFromField(to, 1) };
    default:
      return {};
  }
}
