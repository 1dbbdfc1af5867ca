// What somebody is told of, how, and when not: each choice is saved as it is made.

import * as api from "./api.js";
import { wordsOf } from "./dom.js";
import { toast } from "./toast.js";

/**
 * @param {Record<string, HTMLElement>} parts `mails` and `channels` have a checkbox a choice, named as in the API
 *   (`reminder_mails`, `overdue.sms`), `quiet` has the fields of the quiet hours
 * @returns {() => Promise<void>} loads what is chosen
 */
export function notificationPreferences(parts) {
  const fieldsets = [parts.mails, parts.channels, parts.quiet];
  const boxes = [parts.mails, parts.channels].flatMap((fields) => [...fields.elements]);
  const { on, start, end, zone } = parts.quiet.elements;
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  for (const name of new Set([ownZone, "UTC", ...Intl.supportedValuesOf("timeZone")])) zone.add(new Option(name));

  function show(preferences) {
    for (const box of boxes) {
      const [kind, channel] = box.name.split(".");
      box.checked = channel ? preferences.channels[kind][channel] : preferences[kind];
    }
    const { quiet_hours: hours, time_zone: name } = preferences;
    on.checked = hours !== null;
    start.value = hours?.start ?? "22:00";
    end.value = hours?.end ?? "07:00";
    zone.value = hours ? name : ownZone;
    for (const field of [start, end, zone]) field.disabled = !hours;
    parts.suspended.hidden = preferences.email_suspended === null;
    parts["suspended-reason"].textContent = preferences.email_suspended ?? "";
  }

  async function change(body) {
    try {
      show(await api.changePreferences(body));
      toast("Your choice is saved.");
    } catch (error) {
      if (error.status !== 401) toast(wordsOf(error), { alert: true });
      await load();
    }
  }

  for (const fields of [parts.mails, parts.channels]) {
    fields.addEventListener("change", ({ target }) => {
      const [kind, channel] = target.name.split(".");
      change(channel ? { channels: { [kind]: { [channel]: target.checked } } } : { [kind]: target.checked });
    });
  }

  parts.quiet.addEventListener("change", () => {
    if (!on.checked) change({ quiet_hours: null });
    else if (start.value && end.value) {
      change({ quiet_hours: { start: start.value, end: end.value }, time_zone: zone.value || ownZone });
    }
  });

  parts.resume.addEventListener("click", async () => {
    try {
      await api.resumeMails();
      toast("Mails go to your address again.");
    } catch (error) {
      if (error.status !== 401) toast(wordsOf(error), { alert: true });
    }
    await load();
  });

  async function load() {
    try {
      show(await api.notificationPreferences());
      for (const fields of fieldsets) fields.disabled = false;
      parts["mails-state"].hidden = true;
    } catch (error) {
      parts["mails-state"].textContent = wordsOf(error);
    }
  }

  return load;
}
