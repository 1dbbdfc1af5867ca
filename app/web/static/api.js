// The API's end points by name, for the user who is logged in.

import { authorised } from "./session.js";

export const PAGE_SIZE = 20;
export const LARGEST_PAGE = 100;

export const me = () => authorised("GET", "/users/me");

/** @returns {Promise<{items: object[], next_cursor: string | null}>} */
export const listTasks = (query, signal) => authorised("GET", "/tasks", { query, signal });

export const createTask = (task) => authorised("POST", "/tasks", { body: task });

export const updateTask = (id, change) => authorised("PATCH", `/tasks/${encodeURIComponent(id)}`, { body: change });

/** `keepalive` lets the request outlive the page. */
export const deleteTask = (id, { keepalive = false } = {}) =>
  authorised("DELETE", `/tasks/${encodeURIComponent(id)}`, { keepalive });
