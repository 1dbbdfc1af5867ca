// Who is logged in. The access token lives in memory only; the refresh token in this tab's sessionStorage, so that a
// reload stays logged in and closing the tab does not.

import { Problem, send } from "./http.js";

const KEY = "refresh_token";
const REFUSED = [400, 401, 422];

// A used refresh token works again for 10 s (APP_REFRESH_OVERLAP): an answer that is late is asked for again in time.
const FIRST_TRY_MS = 5_000;

const BUSY_TRIES = 4;
const LONGEST_WAIT_S = 5;

/** Fires "ended" when the server no longer accepts this session. */
export const session = new EventTarget();

let accessToken = null;
let renewal = null;

// A duplicated tab starts with a copy of the refresh token. It can be used once, and a second use after some seconds
// ends the session, so whoever renews tells the tabs that hold the same one.
const siblings = new BroadcastChannel("session");
siblings.addEventListener("message", ({ data: { used, tokens } }) => {
  if (sessionStorage.getItem(KEY) === used) keep(tokens);
});

function keep(tokens) {
  accessToken = tokens.access_token;
  sessionStorage.setItem(KEY, tokens.refresh_token);
}

function forget() {
  accessToken = null;
  sessionStorage.removeItem(KEY);
}

/** Whether this tab holds a session. The server may still refuse it. */
export function loggedIn() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Make an account and log in to it. Whether there was one already, a mail tells its owner, and no answer. */
export async function register({ name, email, password }) {
  await send("POST", "/auth/register", { body: { name, email, password } });
  try {
    await logIn({ email, password });
  } catch (error) {
    if (error.status !== 401) throw error;
    throw new Problem({ status: 401, title: "Check your mail: a message to this address says how to log in." });
  }
}

// A server that is busy with other passwords says when to come again: a form need not ask a person to do that.
async function patiently(request, tries = BUSY_TRIES) {
  try {
    return await request();
  } catch (error) {
    const { status, retryAfter } = error;
    if (status !== 503 || !retryAfter || retryAfter > LONGEST_WAIT_S || tries === 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000 * (1 + Math.random())));
    return patiently(request, tries - 1);
  }
}

/** Exchange e-mail and password for tokens. */
export async function logIn({ email, password }) {
  keep(await patiently(() => send("POST", "/auth/login", { body: { email, password } })));
}

/** End the session here at once, and on the server if it can be reached. */
export async function logOut() {
  try {
    await authorised("POST", "/auth/logout");
  } finally {
    forget();
  }
}

/** End every session of this account. Nothing ends, here either, when the server can't be reached. */
export async function logOutEverywhere() {
  await authorised("POST", "/auth/logout-everywhere");
  forget();
}

/** Delete the account of this session. Raises a Problem if it is not the password. */
export async function deleteAccount(password) {
  await authorised("DELETE", "/users/me", { body: { password } });
  forget();
}

/**
 * Send a request as the user who is logged in. A refused access token is renewed once, silently.
 * Requests that are refused together share one renewal.
 */
export async function authorised(method, path, options = {}) {
  const token = accessToken ?? (await renew());
  try {
    return await send(method, path, { ...options, token });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
  }
  // Another request may have renewed it while this one was on its way.
  const renewed = accessToken && accessToken !== token ? accessToken : await renew();
  return send(method, path, { ...options, token: renewed });
}

function renew() {
  const stale = accessToken;
  // A sibling may have told its tokens while this tab waited for its turn.
  renewal ??= exclusively(() => (accessToken === stale ? exchange() : accessToken)).finally(() => {
    renewal = null;
  });
  return renewal;
}

// Web Locks exist in secure contexts only; elsewhere the tabs still tell each other.
function exclusively(task) {
  return navigator.locks ? navigator.locks.request("session", task) : task();
}

async function exchange() {
  const used = sessionStorage.getItem(KEY);
  if (!used) throw ended();
  try {
    const tokens = await trade(used);
    keep(tokens);
    siblings.postMessage({ used, tokens });
    return tokens.access_token;
  } catch (error) {
    // Only the server's no ends a session. One that can't be reached may answer the next time.
    if (error instanceof Problem && REFUSED.includes(error.status)) throw end();
    throw error;
  }
}

// The token that is traded stays stored until its successor is there: after a lost answer, or a reload, it is used again.
async function trade(token) {
  const options = { body: { refresh_token: token } };
  try {
    return await send("POST", "/auth/refresh", { ...options, timeout: FIRST_TRY_MS });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 0) throw error;
    return send("POST", "/auth/refresh", options);
  }
}

function end() {
  forget();
  session.dispatchEvent(new Event("ended"));
  return ended();
}

function ended() {
  return new Problem({ status: 401, title: "Your session has ended. Please log in again." });
}
