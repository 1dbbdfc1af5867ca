// For administrators: what administrators did, found again and exported.

import * as api from "./api.js";
import { dayFromField, fullTime } from "./dates.js";
import { clearErrors, fromTemplate, showErrors, wordsOf } from "./dom.js";
import { saveAs } from "./download.js";
import { pagedList } from "./paged.js";
import { toast } from "./toast.js";

const NAMES = ["action", "actor", "from", "to"];
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @param {{addressText: string}} options `addressText` holds the filters */
export function view({ addressText }) {
  const { fragment, parts } = fromTemplate("view-audit");
  const fields = parts.toolbar.elements;
  const actions = new Map([...fields.action.options].map(({ value, text }) => [value, text]));
  const list = pagedList(parts, {
    fetchPage: api.listAudit,
    draw: (entry) => auditRow(entry, actions),
    empty: "Nothing is written down here.",
  });

  const query = () => ({
    action: fields.action.value,
    actor: fields.actor.value.trim(),
    after: dayFromField(fields.from.value),
    before: dayFromField(fields.to.value, 1),
  });

  function apply(text) {
    const given = new URLSearchParams(text);
    for (const name of NAMES) fields[name].value = given.get(name) ?? "";
    if (fields.action.selectedIndex < 0) fields.action.value = "";
    return load();
  }

  function load() {
    clearErrors(parts.toolbar);
    const problems = problemsOf(fields);
    if (problems.size) {
      showErrors(parts.toolbar, problems);
      return undefined;
    }
    const given = NAMES.filter((name) => fields[name].value.trim()).map((name) => [name, fields[name].value.trim()]);
    const text = new URLSearchParams(given).toString();
    history.replaceState(null, "", `#/audit${text ? `?${text}` : ""}`);
    return list.show(query());
  }

  parts.toolbar.addEventListener("change", load);
  parts.toolbar.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });

  for (const format of ["csv", "ndjson"]) {
    const button = parts[format];
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        saveAs(await api.exportAudit(format, query()), `audit.${format}`);
        await list.show(query()); // the export is an entry of its own
      } catch (error) {
        if (error.status !== 401) toast(wordsOf(error), { alert: true });
      } finally {
        button.disabled = false;
      }
    });
  }

  return { fragment, title: "Audit log", start: () => apply(addressText), readAddress: apply };
}

function problemsOf({ actor, from, to }) {
  const problems = new Map();
  if (actor.value.trim() && !ID.test(actor.value.trim())) problems.set("actor", "This is no complete id.");
  if (from.value && to.value && from.value > to.value) problems.set("before", "This is before the first day.");
  return problems;
}

function auditRow(entry, actions) {
  const { root, parts } = fromTemplate("audit-row");
  parts.action.textContent = actions.get(entry.action) ?? entry.action;
  const by = entry.actor_id ?? "the deployment itself";
  const from = entry.remote ? ` from ${entry.remote}` : "";
  parts.who.textContent = `By ${by}${from}${entry.subject_id ? `, on ${entry.subject_id}` : ""}`;
  const details = Object.entries(entry.details).map(([name, value]) => `${name} ${value}`);
  parts.details.textContent = details.join(", ");
  parts.details.hidden = details.length === 0;
  parts.at.textContent = fullTime(entry.at);
  parts.at.dateTime = entry.at;
  return root;
}
