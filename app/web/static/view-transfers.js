// Many tasks in and out as CSV, and how far each import and export is.

import * as api from "./api.js";
import { clearErrors, fromTemplate, showErrors, whileBusy, wordsOf } from "./dom.js";
import { ImportPreview } from "./import-preview.js";
import { jobRow } from "./job-row.js";
import { pagedList } from "./paged.js";
import { showUpload } from "./upload-bar.js";

export function view() {
  const { fragment, parts } = fromTemplate("view-transfers");
  const list = pagedList(parts, {
    fetchPage: api.listJobs,
    draw: (job) => jobRow(job),
    empty: "Nothing yet.",
  });

  function onSubmit(form, send) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearErrors(form);
      try {
        const job = await whileBusy(form, send);
        if (!job) return; // the upload was stopped
        form.reset();
        await list.show({});
      } catch (error) {
        showErrors(form, error.fields ?? new Map(), wordsOf(error));
      }
    });
  }

  const preview = new ImportPreview(parts.import, parts, (error) => {
    showErrors(parts.import, error.fields ?? new Map(), wordsOf(error));
  });
  parts.import.elements.file.addEventListener("change", () => clearErrors(parts.import));

  onSubmit(parts.import, async () => {
    const { file: input } = parts.import.elements;
    const [file] = input.files;
    if (!file) throw Object.assign(new Error("Choose a file first."), { fields: new Map([["file", "Choose a file first."]]) });
    return showUpload(input, file, (options) => api.importTasks(file, { ...options, query: preview.query }));
  });
  onSubmit(parts.export, () => {
    const { status, q, tag, byte_order_mark: mark } = parts.export.elements;
    return api.exportTasks({ status: status.value, q: q.value.trim(), tag: tag.value.trim(), byte_order_mark: mark.checked });
  });

  return { fragment, title: "Import and export", start: () => list.show({}) };
}
