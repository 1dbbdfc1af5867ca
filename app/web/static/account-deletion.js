// Deleting one's own account, with the password and after a question.

import { confirm } from "./confirm.js";
import { onSubmit } from "./dom.js";
import { deleteAccount } from "./session.js";

/** @param {HTMLFormElement} form @param {() => void} onDeleted */
export function deletionForm(form, onDeleted) {
  const { password } = form.elements;

  onSubmit(form, problems, async () => {
    const sure = await confirm({
      heading: "Delete your account?",
      text: "Your account and all that belongs to it are deleted. This can't be undone.",
      yes: "Delete for good",
    });
    if (!sure) return;
    await deleteAccount(password.value);
    onDeleted();
  });

  function problems() {
    return new Map(password.value ? [] : [["password", "Your password is missing."]]);
  }
}
