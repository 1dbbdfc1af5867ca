// The bell: how many notifications are unread.

import * as api from "./api.js";

const EVERY_MS = 60_000;

/** @param {{link: HTMLElement, count: HTMLElement, words: HTMLElement}} parts */
export function makeBell({ link, count, words }) {
  function draw(unread) {
    count.textContent = unread > 99 ? "99+" : String(unread);
    count.hidden = unread === 0;
    words.textContent = unread ? `Notifications, ${unread} unread` : "Notifications";
  }

  async function look() {
    try {
      draw((await api.listNotifications({ limit: 1 })).unread);
    } catch {
      // The bell shows what it knew: the next look may tell more.
    }
  }

  look();
  const timer = setInterval(() => {
    if (!link.isConnected) clearInterval(timer);
    else if (document.visibilityState === "visible") look();
  }, EVERY_MS);
  return { draw };
}
