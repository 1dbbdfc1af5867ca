// What one has been told, the newest first.

import * as api from "./api.js";
import { fullTime } from "./dates.js";
import { fromTemplate, wordsOf } from "./dom.js";
import { pagedList } from "./paged.js";
import { toast } from "./toast.js";

const KINDS = { reminder: "Reminder", overdue: "Overdue", task_changed: "Import", report: "Weekly report" };

/** @param {{onUnread: (number: number) => void}} options `onUnread` is told how many are unread */
export function view({ onUnread }) {
  const { fragment, parts } = fromTemplate("view-notifications");
  let unread = 0;

  function count(number) {
    unread = number;
    parts["read-all"].disabled = unread === 0;
    onUnread(unread);
  }

  async function fetchPage(query, signal) {
    const page = await api.listNotifications(query, signal);
    if (!signal.aborted) count(page.unread);
    return page;
  }

  const list = pagedList(parts, { fetchPage, draw, empty: "Nothing yet: reminders of your tasks will stand here." });

  function draw({ id, kind, task_id: task, title, created_at: at, read_at: readAt }) {
    const row = fromTemplate("notification-row");
    row.parts.title.textContent = title;
    row.parts.kind.textContent = KINDS[kind];
    row.parts.time.textContent = fullTime(at);
    row.parts.time.dateTime = at;
    row.parts.task.hidden = task === null;
    row.parts.task.href = `#/tasks?${new URLSearchParams({ q: title })}`;
    row.parts.task.setAttribute("aria-label", `Show the task ${title}`);
    row.parts.read.setAttribute("aria-label", `Mark ${title} as read`);
    row.parts.read.addEventListener("click", () => read(id, row));
    mark(row, readAt !== null);
    return row.root;
  }

  function mark({ root, parts: { read } }, isRead) {
    root.classList.toggle("unread", !isRead);
    read.hidden = isRead;
  }

  async function read(id, row) {
    row.parts.read.disabled = true;
    try {
      await api.readNotification(id);
      mark(row, true);
      (row.parts.task.hidden ? document.getElementById("main") : row.parts.task).focus({ preventScroll: true });
      count(unread - 1);
    } catch (error) {
      row.parts.read.disabled = false;
      complain(error);
    }
  }

  parts["read-all"].addEventListener("click", async () => {
    parts["read-all"].disabled = true;
    try {
      await api.readNotifications();
      await list.show({});
      document.getElementById("main").focus({ preventScroll: true });
    } catch (error) {
      parts["read-all"].disabled = false;
      complain(error);
    }
  });

  return { fragment, title: "Notifications", start: () => list.show({}) };
}

function complain(error) {
  if (error.status !== 401) toast(wordsOf(error), { alert: true }); // after 401 the log-in page says it
}
