// A list that the server gives page by page: loading, loaded, empty or out of reach.

import { announce, wordsOf } from "./dom.js";

/**
 * @param {{list: HTMLElement, more: HTMLButtonElement, state: HTMLElement}} parts
 * @param {{fetchPage: (query: object, signal: AbortSignal) => Promise<object>, draw: (item) => HTMLElement, empty: string}} how
 * @returns {{show: (query: object) => Promise<void>}} `show` starts anew; what is still under way for the query before is dropped
 */
export function pagedList({ list, more, state }, { fetchPage, draw, empty }) {
  let request = new AbortController();
  let query = {};
  let cursor = null;

  const say = (text) => {
    state.textContent = text;
    state.hidden = !text;
  };

  async function load(after) {
    const { signal } = request;
    list.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const page = await fetchPage({ ...query, cursor: after }, signal);
      if (signal.aborted) return;
      const drawn = page.items.map(draw);
      if (after) list.append(...drawn);
      else list.replaceChildren(...drawn);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      more.textContent = "Load more";
      say(list.children.length ? "" : empty);
      announce(list.children.length ? `${list.children.length}${cursor ? " or more" : ""} found` : empty);
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      say(wordsOf(error));
      more.hidden = false;
      more.textContent = "Try again";
    } finally {
      if (!signal.aborted) {
        list.removeAttribute("aria-busy");
        more.disabled = false;
      }
    }
  }

  more.addEventListener("click", () => load(cursor));
  return {
    async show(next) {
      request.abort();
      request = new AbortController();
      query = next;
      cursor = null;
      if (!list.children.length) say("Loading…");
      await load(null);
    },
  };
}
