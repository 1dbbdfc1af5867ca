// The picture of one's own account: chosen, looked at, then sent.

import * as api from "./api.js";
import { drawAvatar } from "./avatar.js";
import { clearErrors, showErrors, whileBusy, wordsOf } from "./dom.js";
import { sizeProblem } from "./file-size.js";
import { toast } from "./toast.js";
import { showUpload } from "./upload-bar.js";

const UNREADABLE = "This is no picture that can be shown. Choose a JPEG, PNG, WebP or GIF.";

/**
 * @param {object} parts those of the profile page
 * @param {object} user
 * @param {(user: object) => void} onUser told of the account with another picture, or without
 * @returns {(user: object) => void} draws the account after another change
 */
export function pictureForm(parts, user, onUser) {
  const { picture: form, "picture-file": input, avatar } = parts;
  let shown = user;
  let chosen = null;

  function draw() {
    drawAvatar(avatar, chosen ? { ...shown, avatar_url: chosen.address } : shown);
    parts["picture-use"].hidden = !chosen;
    parts["picture-cancel"].hidden = !chosen;
    parts["picture-remove"].hidden = Boolean(chosen) || !shown.avatar_url;
  }

  const complain = (text) => showErrors(form, new Map([["file", text]]));

  function settle(changed) {
    chosen = null;
    shown = changed;
    draw();
  }

  input.addEventListener("change", async () => {
    clearErrors(form);
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (!file) return;
    settle(shown);
    const problem = sizeProblem(file);
    if (problem) {
      complain(problem);
      return;
    }
    try {
      chosen = { file, address: await readable(file) };
      draw();
      parts["picture-use"].focus();
    } catch {
      complain(UNREADABLE);
    }
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    const { file } = chosen;
    try {
      const changed = await whileBusy(form, () => showUpload(input, file, (options) => api.setAvatar(file, options)));
      if (changed) change(changed, "Your picture is saved.");
    } catch (error) {
      complain(error.fields?.get("file") ?? wordsOf(error));
    }
  });

  parts["picture-cancel"].addEventListener("click", () => {
    clearErrors(form);
    settle(shown);
    input.focus();
  });

  parts["picture-remove"].addEventListener("click", async () => {
    clearErrors(form);
    try {
      await api.removeAvatar();
      change(await api.me(), "Your picture is removed.");
    } catch (error) {
      complain(wordsOf(error));
    }
  });

  function change(changed, words) {
    settle(changed);
    onUser(changed);
    input.focus();
    toast(words);
  }

  draw();
  return (changed) => {
    shown = changed;
    draw();
  };
}

/** The address of a picture that the browser can show. Rejects if it can't. The page may show "data:", not "blob:". */
async function readable(file) {
  const reader = new FileReader();
  await new Promise((loaded, failed) => {
    reader.addEventListener("load", loaded);
    reader.addEventListener("error", failed);
    reader.readAsDataURL(file);
  });
  const picture = new Image();
  picture.src = reader.result;
  await picture.decode();
  return picture.src;
}
