// Files on their way to the server, with word of how far they are: fetch can't tell that, XMLHttpRequest can.

const IDLE_MS = 120_000;

/**
 * Send a form, as `fetch` would. It may take as long as it needs, but not stand still.
 * @param {string} url
 * @param {{method: string, headers: object, body: FormData, signal?: AbortSignal, onProgress: (part: number) => void}} options
 *   `onProgress` is told from 0 to 1 how much has been sent
 * @returns {Promise<Response>}
 * @throws {DOMException} TimeoutError when nothing moves any more, else the signal's reason; {TypeError} without a connection
 */
export function upload(url, { method, headers, body, signal, onProgress }) {
  signal?.throwIfAborted();
  const request = new XMLHttpRequest();
  request.open(method, url);
  request.responseType = "blob";
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  return new Promise((answer, fail) => {
    let timer;
    const stop = (reason) => {
      fail(reason);
      request.abort();
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => stop(new DOMException("The upload stands still.", "TimeoutError")), IDLE_MS);
    };
    const onAbort = () => stop(signal.reason);
    signal?.addEventListener("abort", onAbort);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      wait();
      onProgress(total ? loaded / total : 1);
    });
    request.addEventListener("load", () => answer(responseOf(request)));
    request.addEventListener("error", () => fail(new TypeError("The connection failed.")));
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    });
    wait();
    request.send(body);
  });
}

function responseOf(request) {
  const lines = request.getAllResponseHeaders().trim().split("\r\n");
  const headers = lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
  const content = request.status === 204 ? null : request.response;
  return new Response(content, { status: request.status, headers });
}
