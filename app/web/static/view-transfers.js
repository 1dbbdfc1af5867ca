// Many tasks in and out as CSV, and how far each import and export is.

import * as api from "./api.js";
import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { jobRow } from "./job-row.js";
import { pagedList } from "./paged.js";

export function view() {
  const { fragment, parts } = fromTemplate("view-transfers");
  const list = pagedList(parts, {
    fetchPage: api.listJobs,
    draw: jobRow,
    empty: "Nothing yet.",
  });

  function onSubmit(form, send) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearErrors(form);
      try {
        await whileBusy(form, send);
        form.reset();
        await list.show({});
      } catch (error) {
        showErrors(form, error.fields ?? new Map(), wordsOf(error));
      }
    });
  }

  onSubmit(parts.import, async () => {
    const [file] = parts.import.elements.file.files;
    if (!file) throw Object.assign(new Error("Choose a file first."), { fields: new Map([["file", "Choose a file first."]]) });
    await api.importTasks(file);
  });
  onSubmit(parts.export, async () => {
    const { status, q, tag } = parts.export.elements;
    await api.exportTasks({ status: status.value, q: q.value.trim(), tag: tag.value.trim() });
  });

  return { fragment, title: "Import and export", start: () => list.show({}) };
}
