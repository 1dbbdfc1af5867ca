// What came of one's tasks: figures, a chart with its table, and the weekly report.

import * as api from "./api.js";
import { drawBars } from "./chart.js";
import { dayName, recentWeeks, spanOf, today } from "./days.js";
import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { saveAs } from "./download.js";

/** More days than these are drawn and listed by the week. */
const MOST_DAYS = 31;
const WEEKS = 8;

export function view() {
  const { fragment, parts } = fromTemplate("view-statistics");
  const { days } = parts.toolbar.elements;
  const { week } = parts.report.elements;
  let request = new AbortController();

  week.append(...recentWeeks(WEEKS).map(({ name, label }) => new Option(label, name)));

  async function load() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    say("Loading…");
    try {
      const found = await api.statistics({ from: today(1 - Number(days.value)), to: today() }, signal);
      if (signal.aborted) return;
      draw(found);
      say("");
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      say(wordsOf(error), true);
    }
  }

  function say(text, failed = false) {
    parts.state.textContent = text;
    parts.state.hidden = !text;
    parts.again.hidden = !failed;
  }

  function draw(found) {
    const buckets = bucketsOf(found.days);
    const peak = Math.max(1, ...buckets.flatMap(({ created, completed }) => [created, completed]));
    parts.figures.replaceChildren(...figuresOf(found).map(([name, value]) => filled("figure-row", { name, value })));
    parts.rows.replaceChildren(...buckets.map(({ name, ...counts }) => filled("statistics-row", { day: name, ...counts })));
    drawBars(parts.bars, buckets, peak);
    parts.bars.setAttribute("aria-label", `Bar chart: ${found.created} created, ${found.completed} completed in ${days.value} days`);
    parts.peak.textContent = `Highest: ${peak}`;
    parts.unit.textContent = found.days.length > MOST_DAYS ? "Seven days from" : "Day";
    parts.first.textContent = dayName(found.days[0].date);
    parts.last.textContent = dayName(found.days.at(-1).date);
    parts.found.hidden = false;
  }

  parts.toolbar.addEventListener("change", load);
  parts.toolbar.addEventListener("submit", (event) => event.preventDefault());
  parts.again.addEventListener("click", load);
  parts.report.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(parts.report);
    const format = event.submitter?.value ?? "pdf";
    try {
      const content = await whileBusy(parts.report, () => api.weeklyReport(week.value, format));
      saveAs(content, `week-${week.value}.${format}`);
    } catch (error) {
      showErrors(parts.report, error.fields ?? new Map(), wordsOf(error));
    }
  });

  return { fragment, title: "Statistics", start: load, leave: () => request.abort() };
}

function filled(template, texts) {
  const { root, parts } = fromTemplate(template);
  for (const [part, text] of Object.entries(texts)) parts[part].textContent = text;
  return root;
}

function figuresOf({ completed, created, completion_rate: rate, duration, totals, streak }) {
  return [
    ["Completed", completed],
    ["Created", created],
    ["Done of those created", rate === null ? "–" : `${Math.round(rate * 100)} %`],
    ["Time to completion, median", duration === null ? "–" : spanOf(duration.median)],
    ["Overdue now", totals.overdue],
    ["Open now", totals.todo + totals.in_progress],
    ["Days in a row with something done", streak],
  ];
}

/** The days by themselves, or together by seven, counted back from the last one. */
function bucketsOf(days) {
  const size = days.length > MOST_DAYS ? 7 : 1;
  const buckets = [];
  for (let end = days.length; end > 0; end -= size) {
    const some = days.slice(Math.max(0, end - size), end);
    const sum = (field) => some.reduce((total, day) => total + day[field], 0);
    buckets.unshift({ name: dayName(some[0].date), created: sum("created"), completed: sum("completed") });
  }
  return buckets;
}
