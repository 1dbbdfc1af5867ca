// Days and weeks of the calendar in UTC, as statistics count them.

import { LOCALE } from "./dates.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

const dayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const weekFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

const midnight = (days = 0) => (Math.floor(Date.now() / DAY_MS) + days) * DAY_MS;

/** The day that it is, some days later: "2031-01-31". */
export const today = (days = 0) => new Date(midnight(days)).toISOString().slice(0, 10);

/** "Fri, 31 Jan". */
export const dayName = (date) => dayFormat.format(new Date(date));

/** The latest weeks, the present one first: `name` as the API calls it (ISO 8601), `label` as people do. */
export function recentWeeks(count) {
  const sinceMonday = (new Date(midnight()).getUTCDay() + 6) % 7;
  return Array.from({ length: count }, (_, number) => {
    const monday = midnight(-sinceMonday - 7 * number);
    return { name: weekName(monday), label: weekFormat.formatRange(monday, monday + 6 * DAY_MS) };
  });
}

/** A week belongs to the year that its Thursday is in. */
function weekName(monday) {
  const thursday = monday + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const number = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(number).padStart(2, "0")}`;
}

/** A length of time in its largest two units: "2 days 3 hours". */
export function spanOf(seconds) {
  let rest = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const number = Math.floor(rest / size);
    rest -= number * size;
    if (number) parts.push(`${number} ${unit}${number > 1 ? "s" : ""}`);
  }
  return parts.slice(0, 2).join(" ") || "less than a minute";
}
