// One import or export: how far it is, and what can be done with it.

import * as api from "./api.js";
import { fullTime } from "./dates.js";
import { announce, fromTemplate, wordsOf } from "./dom.js";
import { saveAs } from "./download.js";
import { pagedList } from "./paged.js";
import { toast } from "./toast.js";

const POLL_MS = 700;
const SLOWEST_POLL_MS = 15_000;
const MOST_LISTED = 10_000; // refused lines that the API keeps

export const DATA_EXPORT = "data-export";

const KINDS = {
  import: { name: "Import", unit: "line" },
  export: { name: "Export", unit: "task", file: "tasks.csv" },
  [DATA_EXPORT]: { name: "Copy of your data", unit: "file", file: "my-data.zip" },
  [dataExportOf("auth")]: { name: "Copy of your account", unit: "file", file: "my-data-auth.zip" },
  [dataExportOf("tasks")]: { name: "Copy of your tasks", unit: "file", file: "my-data-tasks.zip" },
  [dataExportOf("notifications")]: { name: "Copy of your notifications", unit: "file", file: "my-data-notifications.zip" },
  [dataExportOf("analytics")]: { name: "Copy of your statistics", unit: "file", file: "my-data-analytics.zip" },
};
const STATES = {
  queued: "waiting",
  running: "under way",
  succeeded: "done",
  failed: "failed",
  cancelled: "cancelled",
};
const ACTIVE = ["queued", "running"];

const JOB = { get: api.getJob, result: api.jobResult, single: true };

const number = new Intl.NumberFormat("en");

/** @returns {string} the kind of the job that makes a service's part of a copy of one's data */
export function dataExportOf(service) {
  return `${DATA_EXPORT}.${service}`;
}

/**
 * @param {object} job as the API tells it; asked for again while it goes on and the row is on the page
 * @param {{get: (id: string) => Promise<object>, result: (id: string) => Promise<Blob>, single: boolean}} where it is
 *   asked for; without `single` it may not be there yet, and is not cancelled or resumed by itself
 */
export function jobRow(job, { get, result, single } = JOB) {
  const { root, parts } = fromTemplate("job-row");
  let shown = job;
  let wait = POLL_MS;

  function draw(next) {
    const ended = ACTIVE.includes(shown.state) && !ACTIVE.includes(next.state);
    shown = next;
    const { state, kind, done, total, refused, error } = shown;
    const active = ACTIVE.includes(state);
    const { name, unit } = KINDS[kind] ?? { name: kind, unit: "step" };
    const amount = amountOf(done, total, unit);
    parts.title.textContent = `${name}, ${STATES[state]}`;
    const left = shown.ignored_columns?.length ? ` · left out: ${shown.ignored_columns.join(", ")}` : "";
    parts.facts.textContent = `${fullTime(shown.created_at)} · ${amount}${left}`;
    parts.error.textContent = error ?? "";
    parts.error.hidden = !error;
    parts.progress.hidden = !active;
    parts.progress.setAttribute("aria-label", `${name}: progress`);
    if (total) {
      parts.progress.max = total;
      parts.progress.value = done;
    } else {
      parts.progress.removeAttribute("value");
    }
    parts.cancel.hidden = !single || !active;
    parts.resume.hidden = !single || (state !== "cancelled" && state !== "failed");
    parts.download.hidden = !shown.result_url;
    const unlisted = refused - MOST_LISTED;
    parts.unlisted.hidden = unlisted <= 0;
    parts.unlisted.textContent = `The other ${number.format(unlisted)} are not listed.`;
    parts.refused.hidden = refused === 0;
    parts.refused.textContent = `${number.format(refused)} refused ${refused === 1 ? "line" : "lines"}`;
    if (ended) announce(`${name}: ${STATES[state]}, ${amount}`);
  }

  async function poll() {
    if (!root.isConnected || !ACTIVE.includes(shown.state)) return;
    try {
      draw(await get(shown.id));
      wait = POLL_MS;
    } catch (error) {
      if (error.status === 401 || (error.status === 404 && single)) return;
      wait = Math.min(2 * wait, SLOWEST_POLL_MS); // out of reach: less and less often
      if (!single && error.status !== 404) draw({ ...shown, error: wordsOf(error) });
    }
    setTimeout(poll, wait);
  }

  async function attempt(button, action) {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      if (error.status !== 401) toast(wordsOf(error), { alert: true });
    } finally {
      button.disabled = false;
    }
  }

  const on = (name, action) => parts[name].addEventListener("click", () => attempt(parts[name], action));
  on("cancel", async () => draw(await api.cancelJob(shown.id)));
  on("resume", async () => {
    draw(await api.resumeJob(shown.id));
    setTimeout(poll, POLL_MS);
  });
  on("download", async () => saveAs(await result(shown.id), KINDS[shown.kind].file));

  const lines = pagedList(parts, {
    fetchPage: (query, signal) => api.refusedLines(shown.id, query, signal),
    draw: refusedLine,
    empty: "No line was refused.",
  });
  parts.refused.addEventListener("click", () => {
    parts.lines.hidden = !parts.lines.hidden;
    parts.refused.setAttribute("aria-expanded", String(!parts.lines.hidden));
    if (!parts.lines.hidden) lines.show({});
  });

  draw(job);
  setTimeout(poll, single ? POLL_MS : 0);
  return root;
}

function amountOf(done, total, unit) {
  const all = total && total !== done ? `${number.format(done)} of ${number.format(total)}` : number.format(done);
  return `${all} ${unit}${(total || done) === 1 ? "" : "s"}`;
}

function refusedLine({ line, reason, text }) {
  const item = document.createElement("li");
  item.value = line;
  const said = document.createElement("code");
  said.textContent = text;
  item.append(`${reason} `, said);
  return item;
}
