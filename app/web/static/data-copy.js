// A copy of one's own data: asked for, made in the background, downloaded.

import * as api from "./api.js";
import { loadTemplates, wordsOf } from "./dom.js";
import { DATA_EXPORT, jobRow } from "./job-row.js";

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
    copies.replaceChildren(jobRow(job));
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
      const { items } = await api.listJobs({ limit: api.LARGEST_PAGE });
      const latest = items.find(({ kind }) => kind === DATA_EXPORT);
      if (latest) await draw(latest);
    } catch (error) {
      complain(error);
    }
  };
}
