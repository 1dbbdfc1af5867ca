// The picture of an account, or the initials of whoever has none.

/** Draw it in an element of the class "avatar", which says nothing to screen readers: the name stands beside it. */
export function drawAvatar(element, { name, avatar_url: url }) {
  if (!url) {
    element.textContent = initials(name);
    return;
  }
  const picture = new Image();
  picture.alt = "";
  picture.addEventListener("error", () => element.replaceChildren(initials(name))); // its address holds for some hours
  picture.src = url;
  element.replaceChildren(picture);
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("").toUpperCase();
}
