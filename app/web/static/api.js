// The API's end points by name, for the user who is logged in.

import { authorised } from "./session.js";

export const PAGE_SIZE = 20;
export const LARGEST_PAGE = 100;

export const me = () => authorised("GET", "/users/me");

/** @returns {Promise<{items: object[], next_cursor: string | null}>} */
export const listTasks = (query, signal) => authorised("GET", "/tasks", { query, signal });

export const createTask = (task) => authorised("POST", "/tasks", { body: task });

export const getTask = (id) => authorised("GET", `/tasks/${encodeURIComponent(id)}`);

/** With a `version`, only if the task still has that one. */
export const updateTask = (id, change, version) =>
  authorised("PATCH", `/tasks/${encodeURIComponent(id)}`, { body: change, version });

/** `keepalive` lets the request outlive the page. */
export const deleteTask = (id, { keepalive = false } = {}) =>
  authorised("DELETE", `/tasks/${encodeURIComponent(id)}`, { keepalive });

/**
 * Change or delete tasks together; as many requests as the API's limit asks for.
 * @param {string[]} ids
 * @param {{action: string}} change with the field that the action needs
 * @returns {Promise<{done: string[], missing: string[]}>}
 */
export async function changeTasks(ids, change) {
  const outcome = { done: [], missing: [] };
  for (let start = 0; start < ids.length; start += LARGEST_PAGE) {
    const body = { ids: ids.slice(start, start + LARGEST_PAGE), ...change };
    const { done, missing } = await authorised("POST", "/tasks/bulk", { body });
    outcome.done.push(...done);
    outcome.missing.push(...missing);
  }
  return outcome;
}

/** @returns {Promise<{items: {name: string, count: number}[]}>} */
export const listTags = () => authorised("GET", "/tags");

// --- files of a task

const attachments = (taskId) => `/tasks/${encodeURIComponent(taskId)}/attachments`;

/** @returns {Promise<{items: {id: string, name: string, size: number, url: string}[]}>} */
export const listAttachments = (taskId) => authorised("GET", attachments(taskId));

/** @param {{onProgress: (part: number) => void, signal?: AbortSignal}} options */
export const attach = (taskId, file, options) => sendFile("POST", attachments(taskId), file, options);

export const deleteAttachment = (taskId, id) =>
  authorised("DELETE", `${attachments(taskId)}/${encodeURIComponent(id)}`);

// --- one's own account

export const rename = (name) => authorised("PATCH", "/users/me", { body: { name } });

export const changePassword = (current, next) =>
  authorised("POST", "/users/me/password", { body: { current_password: current, new_password: next } });

/** Have another link sent to one's own address. */
export const sendVerification = () => authorised("POST", "/auth/verification");

/** @param {{onProgress: (part: number) => void, signal?: AbortSignal}} options @returns {Promise<object>} the account */
export const setAvatar = (file, options) => sendFile("PUT", "/users/me/avatar", file, options);

export const removeAvatar = () => authorised("DELETE", "/users/me/avatar");

/** @returns {Promise<{items: {id: string, created_at: string, last_used_at: string, current: boolean}[]}>} */
export const listSessions = () => authorised("GET", "/auth/sessions");

export const endSession = (id) => authorised("DELETE", `/auth/sessions/${encodeURIComponent(id)}`);

/** @returns {Promise<object>} the job that makes a copy of one's own data; `parts` lists the services that make one each */
export const exportMyData = () => authorised("POST", "/users/me/export");

/** @returns {Promise<{items: object[]}>} such jobs, the newest first */
export const listDataExports = () => authorised("GET", "/users/me/export");

const dataPartPath = (service, id) => `/users/me/export/${service}/${encodeURIComponent(id)}`;

/** @returns {Promise<object>} the job that makes a service's part; 404 until the service has heard of it */
export const dataPart = (service, id) => authorised("GET", dataPartPath(service, id));

/** @returns {Promise<Blob>} */
export const dataPartResult = (service, id) => authorised("GET", `${dataPartPath(service, id)}/result`, { file: true });

// --- notifications

/** @returns {Promise<{items: object[], next_cursor: string | null, unread: number}>} */
export const listNotifications = (query, signal) => authorised("GET", "/notifications/inbox", { query, signal });

export const readNotification = (id) => authorised("POST", `/notifications/${encodeURIComponent(id)}/read`);

export const readNotifications = () => authorised("POST", "/notifications/read");

/** @returns {Promise<object>} channels by kind, quiet hours, time zone, and why no mail goes to the address, if so */
export const notificationPreferences = () => authorised("GET", "/notifications/preferences");

export const changePreferences = (change) => authorised("PATCH", "/notifications/preferences", { body: change });

export const resumeMails = () => authorised("POST", "/notifications/email/resume");

/** @returns {Promise<{number: string | null, verified: boolean, suspended: string | null, enabled: boolean}>} */
export const phone = () => authorised("GET", "/notifications/phone");

export const changePhone = (number) => authorised("PUT", "/notifications/phone", { body: { number } });

export const verifyPhone = (code) => authorised("POST", "/notifications/phone/verify", { body: { code } });

export const deletePhone = () => authorised("DELETE", "/notifications/phone");

// --- for administrators

/** @returns {Promise<{items: object[], next_cursor: string | null}>} */
export const listUsers = (query, signal) => authorised("GET", "/admin/users", { query, signal });

export const updateUser = (id, change) =>
  authorised("PATCH", `/admin/users/${encodeURIComponent(id)}`, { body: change });

export const deleteUser = (id) => authorised("DELETE", `/admin/users/${encodeURIComponent(id)}`);

export const logUserOut = (id) => authorised("POST", `/admin/users/${encodeURIComponent(id)}/logout`);

/** @returns {Promise<{items: object[], next_cursor: string | null}>} */
export const listAudit = (query, signal) => authorised("GET", "/admin/audit", { query, signal });

/** @param {"csv" | "ndjson"} format @returns {Promise<Blob>} */
export const exportAudit = (format, query) =>
  authorised("GET", "/admin/audit/export", { query: { ...query, format }, file: true });

// --- statistics

/** @param {{from: string, to: string}} query days, both included */
export const statistics = (query, signal) => authorised("GET", "/statistics", { query, signal });

/** @param {string} week such as "2031-W05" @param {"html" | "pdf"} format @returns {Promise<Blob>} */
export const weeklyReport = (week, format) =>
  authorised("GET", "/reports/weekly", { query: { week, format }, file: true });

// --- imports and exports

/** @returns {Promise<{items: object[], next_cursor: string | null}>} */
export const listJobs = (query, signal) => authorised("GET", "/jobs", { query, signal });

export const getJob = (id) => authorised("GET", `/jobs/${encodeURIComponent(id)}`);

export const cancelJob = (id) => authorised("POST", `/jobs/${encodeURIComponent(id)}/cancel`);

export const resumeJob = (id) => authorised("POST", `/jobs/${encodeURIComponent(id)}/resume`);

/** @returns {Promise<{items: {line: number, reason: string, text: string}[], next_cursor: number | null}>} */
export const refusedLines = (id, query, signal) =>
  authorised("GET", `/jobs/${encodeURIComponent(id)}/refused`, { query, signal });

/** @returns {Promise<Blob>} */
export const jobResult = (id) => authorised("GET", `/jobs/${encodeURIComponent(id)}/result`, { file: true });

/**
 * @param {Blob} head the file, or its first 256 KiB
 * @param {object} query how it is to be read
 */
export const previewImport = (head, query, signal) =>
  sendFile("POST", "/tasks/imports/preview", head, { query, signal, onProgress: () => {} });

/** @param {File} file @param {{query: object, onProgress: (part: number) => void, signal?: AbortSignal}} options */
export const importTasks = (file, options) => sendFile("POST", "/tasks/imports", file, options);

/** Filters that are empty are left out. */
export const exportTasks = (filters) =>
  authorised("POST", "/tasks/exports", { body: Object.fromEntries(Object.entries(filters).filter(([, value]) => value)) });

async function sendFile(method, path, file, options) {
  const body = new FormData();
  body.append("file", file);
  // A server refuses a token before it has read the file, and hangs up: not every browser then sees why. So the token
  // is tried, and renewed, beforehand.
  await me();
  return authorised(method, path, { ...options, body });
}
