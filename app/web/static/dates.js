// Times: the API speaks UTC, people read and type their local time.

/** English as the reader writes it. */
export const LOCALE = navigator.languages.find((language) => language.startsWith("en")) ?? "en-GB";
const DAY_MS = 24 * 60 * 60 * 1000;

const clockFormat = new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit" });
const weekdayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });
const dayFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const dayOfYearFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const longDayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long" });
const fullFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "short" });

/** The start of the day that lies `days` after the given one, in local time. A day is not always 24 hours long. */
export function startOfDay(date = new Date(), days = 0) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** An instant as <input type="datetime-local"> wants it: local, to the minute. Null gives an empty field. */
export function toField(instant) {
  if (!instant) return "";
  const date = new Date(instant);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The instant that a datetime-local field stands for, as the API wants it; null for an empty field. */
export function fromField(value) {
  return value ? new Date(value).toISOString() : null;
}

/** The start of the local day that a date field names, `days` later; undefined for an empty field. */
export function dayFromField(value, days = 0) {
  if (!value) return undefined;
  const [year, month, day] = value.split("-").map(Number);
  return new Date(year, month - 1, day + days).toISOString();
}

/** When something is due, in the fewest words: "Today 17:00", "Tomorrow 09:30", "Fri 12:00", "3 Mar 2031". */
export function shortDue(instant, now = new Date()) {
  const due = new Date(instant);
  const days = Math.round((startOfDay(due) - startOfDay(now)) / DAY_MS);
  const clock = clockFormat.format(due);
  if (days === 0) return `Today ${clock}`;
  if (days === 1) return `Tomorrow ${clock}`;
  if (days === -1) return `Yesterday ${clock}`;
  if (days > 1 && days < 7) return `${weekdayFormat.format(due)} ${clock}`;
  return (due.getFullYear() === now.getFullYear() ? dayFormat : dayOfYearFormat).format(due);
}

export const longDay = (date = new Date()) => longDayFormat.format(date);
/** The day of an instant: "3 Mar 2031". */
export const longDate = (instant) => dayOfYearFormat.format(new Date(instant));
export const fullTime = (instant) => fullFormat.format(new Date(instant));
export const isPast = (instant) => new Date(instant) < new Date();

/** "Good morning", by the local clock. */
export function greeting(date = new Date()) {
  const hour = date.getHours();
  if (hour < 5 || hour >= 18) return "Good evening";
  return hour < 12 ? "Good morning" : "Good afternoon";
}

/** The name of the local time zone, such as "Asia/Kolkata". */
export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " ");
