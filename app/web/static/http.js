// One HTTP exchange with the API: JSON in, JSON or a Problem out. Knows nothing of log-in.

import { upload } from "./upload.js";

const BASE = "/api/v1";
const TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 600_000;

/** What the API, or the way to it, answered instead of a result (RFC 9457). */
export class Problem extends Error {
  constructor({ status, title, detail, errors = [], requestId = null, retryAfter = null }) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.requestId = requestId;
    /** Seconds after which the server wants to be asked again, if it has said so. */
    this.retryAfter = retryAfter;
    /** Field name → what is wrong with it. */
    this.fields = new Map(errors.map(({ field, message }) => [field, sentence(message)]));
  }

  /** A server's failure can be looked up by its request id, so that is told. */
  get sentence() {
    return this.status >= 500 && this.requestId ? `${this.message} (request ${this.requestId})` : this.message;
  }
}

function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/**
 * Send one request.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: object, query?: object, token?: string, version?: number, signal?: AbortSignal, keepalive?: boolean,
 *   file?: boolean, timeout?: number, onProgress?: (part: number) => void}} options
 *   `body` may be FormData where `onProgress` is told how far it is; `version` makes the request fail with 412 for
 *   whatever has another one by now; `file` asks for a download; `timeout` is how long the answer may take, ms
 * @returns the answer's JSON, null where it has none, or the Blob of a download
 * @throws {Problem} for each answer that is not 2xx, and with status 0 when there is no answer
 */
export async function send(method, path, options = {}) {
  const { body, query = {}, token, version, signal, keepalive = false, file = false, onProgress } = options;
  const { timeout = file ? FILE_TIMEOUT_MS : TIMEOUT_MS } = options;
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const parameters = new URLSearchParams(pairs.filter(([, value]) => value));
  const url = `${BASE}${path}${parameters.size ? `?${parameters}` : ""}`;
  const headers = { Accept: file ? "*/*" : "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;

  let response;
  try {
    if (onProgress) {
      response = await upload(url, { method, headers, body, signal, onProgress });
    } else {
      if (body) headers["Content-Type"] = "application/json";
      const late = AbortSignal.timeout(timeout);
      response = await fetch(url, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, late]) : late,
        keepalive,
        cache: "no-store",
      });
    }
    if (response.ok) return await contentOf(response, file);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable(error);
  }
  throw await problemOf(response);
}

async function contentOf(response, file) {
  if (file) return response.blob();
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

function unreachable(error) {
  const late = error.name === "TimeoutError";
  return new Problem({
    status: 0,
    title: late ? "The server took too long to answer. Please try again." : "The server can't be reached. Check your connection and try again.",
  });
}

async function problemOf(response) {
  // A proxy on the way may answer with a page of its own instead of a problem.
  const answer = await response.json().catch(() => ({}));
  return new Problem({
    status: response.status,
    title: answer.title ?? `The server answered with an error (${response.status}).`,
    detail: answer.detail,
    errors: answer.errors,
    requestId: answer.request_id ?? response.headers.get("X-Request-ID"),
    retryAfter: Number(response.headers.get("Retry-After")) || null,
  });
}
