// A copy of one's own data: asked for, made in the background, downloaded; one file, or one from each service.

import * as api from "./api.js";
import { loadTemplates, wordsOf } from "./dom.js";
import { DATA_EXPORT, dataExportOf, jobRow } from "./job-row.js";

/**
 * @param {{copy: HTMLButtonElement, copies: HTMLElement, "copy-error": HTMLElement}} parts
 * @returns {() => Promise<void>} shows the latest copy, if there is one
 */
export function dataCopy({ copy: button, copies, "copy-error": failure }) {
  function complain(error) {
    failure.textContent = error && error.status !== 401 ? wordsOf(error) : "";
    failure.hidden = !failure.textContent;
  }

  async function draw(job) {
    await loadTemplates("transfers"); // has the row of a job
    const services = job.parts?.map(({ service }) => service) ?? [];
    const rows = services.length ? services.map((service) => partRow(job, service)) : [jobRow(job)];
    copies.replaceChildren(...rows);
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    complain(null);
    try {
      await draw(await api.exportMyData());
    } catch (error) {
      complain(error);
    } finally {
      button.disabled = false;
    }
  });

  return async () => {
    try {
      const latest = await latestCopy();
      if (latest) await draw(latest);
    } catch (error) {
      complain(error);
    }
  };
}

async function latestCopy() {
  const [latest] = (await api.listDataExports()).items;
  if (latest) return latest;
  // One that was made before each service had a database of its own is among the jobs alone.
  const { items } = await api.listJobs({ limit: api.LARGEST_PAGE });
  return items.find(({ kind }) => kind === DATA_EXPORT);
}

/** @returns {Element} the row of a service's part, which waits until the service has heard of it */
function partRow({ id, created_at }, service) {
  const job = { id, created_at, kind: dataExportOf(service), state: "queued", done: 0, total: null, refused: 0 };
  const where = { get: (part) => api.dataPart(service, part), result: (part) => api.dataPartResult(service, part) };
  return jobRow(job, { ...where, single: false });
}
