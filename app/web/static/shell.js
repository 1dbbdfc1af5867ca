// What stands around every page of somebody who is logged in: the pages to choose from, who it is, the way out.

import { drawAvatar } from "./avatar.js";
import { makeBell } from "./bell.js";
import { fromTemplate } from "./dom.js";
import { choices } from "./pages.js";
import { awaitsVerification } from "./verification.js";

/** @param {{user: object, onLogOut: () => Promise<void>}} options */
export function makeShell({ user, onLogOut }) {
  const { fragment, parts } = fromTemplate("shell");
  const links = new Map(choices(user).map(([name, label]) => [name, makeLink(name, label)]));
  parts.nav.append(...links.values());
  parts.nav.hidden = links.size < 2;
  links.set("profile", parts.profile);
  links.set("notifications", parts.bell);
  const bell = makeBell({ link: parts.bell, count: parts["bell-count"], words: parts["bell-words"] });
  parts["log-out"].addEventListener("click", () => {
    parts["log-out"].disabled = true;
    onLogOut();
  });

  /** Show who it is, after a change too. */
  function drawUser(shown) {
    parts.name.textContent = shown.name;
    parts.email.textContent = shown.email;
    drawAvatar(parts.avatar, shown);
    parts.unverified.hidden = !awaitsVerification(shown);
  }

  /** Put a view in the place of the one before. */
  function show(name, view) {
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(name)?.setAttribute("aria-current", "page");
    parts.page.replaceChildren(view.fragment);
  }

  drawUser(user);
  return { fragment, drawUser, drawUnread: bell.draw, show };
}

function makeLink(name, label) {
  const link = document.createElement("a");
  link.href = `#/${name}`;
  link.textContent = label;
  return link;
}
