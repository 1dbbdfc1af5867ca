// A file on its way to the server: how far it is, and a way to stop it.

import { announce, fromTemplate } from "./dom.js";

const percent = new Intl.NumberFormat("en", { style: "percent" });

/**
 * Send a file, and show in the field that it was chosen in how far it is.
 * @param {HTMLInputElement} input
 * @param {File} file
 * @param {(options: {onProgress: (part: number) => void, signal: AbortSignal}) => Promise} send
 * @returns {Promise} what `send` gives, or null if it was stopped
 */
export async function showUpload(input, file, send) {
  const { root, parts } = fromTemplate("upload");
  const stopping = new AbortController();
  parts.name.textContent = file.name;
  parts.bar.setAttribute("aria-label", `Uploading ${file.name}`);
  parts.stop.setAttribute("aria-label", `Stop uploading ${file.name}`);
  parts.stop.addEventListener("click", () => stopping.abort());
  const onProgress = (part) => {
    parts.bar.value = part;
    parts.part.textContent = part < 1 ? percent.format(part) : "sent, waiting for the answer…";
  };
  const askBeforeLeaving = (event) => event.preventDefault();

  onProgress(0);
  input.closest(".field").append(root);
  addEventListener("beforeunload", askBeforeLeaving);
  try {
    return await send({ onProgress, signal: stopping.signal });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    input.focus();
    announce("The upload is stopped");
    return null;
  } finally {
    removeEventListener("beforeunload", askBeforeLeaving);
    root.remove();
  }
}
