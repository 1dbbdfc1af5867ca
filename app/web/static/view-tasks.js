// The page of tasks: writing them down, finding them, and the list itself.

import { getTask } from "./api.js";
import { Board } from "./board.js";
import { Bulk } from "./bulk.js";
import { greeting, longDay } from "./dates.js";
import { announce, clearErrors, debounce, fromTemplate, showErrors, wordsOf } from "./dom.js";
import { formatFilters, isFiltered, parseFilters } from "./filters.js";
import { openTaskDialog } from "./task-dialog.js";
import { TagPicker } from "./tag-picker.js";
import { TaskList } from "./tasks.js";
import { endToasts, toast } from "./toast.js";

const TYPING_PAUSE_MS = 250;
const FILTER_NAMES = ["status", "q", "tag", "due", "from", "to", "sort"];

/** @param {{user: object, addressText: string}} options `addressText` is the part of the address after "?" */
export function view({ user, addressText }) {
  const { fragment, parts } = fromTemplate("view-tasks");
  const list = new TaskList();
  const toolbar = parts.toolbar.elements;
  const composer = parts.composer;
  const picker = new TagPicker(parts["tag-picker"], toolbar.tag);
  let filters = parseFilters(addressText);
  let undo = () => {};

  parts.today.textContent = longDay();
  parts.greeting.textContent = `${greeting()}, ${user.name.split(/\s+/)[0]}`;

  const bulk = new Bulk(parts, list, (text, { error } = {}) => {
    if (error?.status !== 401) toast(text, { alert: Boolean(error) });
  });
  const board = new Board(parts, list, {
    onOpen: (task) =>
      openTaskDialog(task, {
        save: (fields, version) => list.update(task.id, fields, version),
        reload: () => getTask(task.id),
        onFiles: () => list.refresh(),
      }),
    onStatus: (task, status) => attempt(() => list.update(task.id, { status })),
    onDelete: remove,
    onTag: (tag) => apply({ ...filters, tag }),
    onPick: (task, picked) => bulk.pick(task, picked),
    isPicked: bulk.isPicked,
    onRetry: () => list.show(filters),
    onClear: () => apply(parseFilters("")),
    onWrite: () => composer.elements.title.focus(),
  });

  list.addEventListener("change", () => picker.offer(list.items.flatMap(({ tags }) => tags)));

  async function attempt(action) {
    try {
      await action();
    } catch (error) {
      if (error.status === 401) return; // the session has ended, and the log-in page says so
      toast(wordsOf(error), { alert: true });
      if (error.status === 404) await list.refresh();
    }
  }

  function remove(task) {
    board.moveFocusFrom(task.id);
    list.remove(task.id);
    undo = toast(`Deleted “${shorten(task.title)}”`, {
      action: "Undo",
      onAction: () => list.restore(task.id),
      onEnd: () => attempt(() => list.confirmRemoval(task.id)),
    });
  }

  // --- writing down

  async function create(fields) {
    const created = await list.create(fields);
    announce(`Added ${created.title}`);
    if (!list.items.some(({ id }) => id === created.id)) {
      toast("Added, but not in this part of the list.", { action: "Show all", onAction: () => apply(parseFilters("")) });
    }
  }

  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { title } = composer.elements;
    clearErrors(composer);
    const text = title.value.trim();
    if (!text) {
      showErrors(composer, new Map([["title", "A task needs a title."]]));
      return;
    }
    // The field is free for the next one at once, and has the text again if the server would not take it.
    title.value = "";
    title.focus();
    await attempt(async () => {
      try {
        await create({ title: text });
      } catch (error) {
        title.value ||= text;
        if (!error.fields || !showErrors(composer, error.fields)) throw error;
      }
    });
  });
  composer.addEventListener("input", () => clearErrors(composer));
  parts.details.addEventListener("click", () => {
    const save = async (fields) => {
      await create(fields);
      composer.reset();
      clearErrors(composer);
    };
    openTaskDialog({ title: composer.elements.title.value }, { save });
  });

  // --- finding

  function apply(next) {
    filters = next;
    picker.choose(filters.tag);
    for (const name of FILTER_NAMES) toolbar[name].value = filters[name];
    load();
  }

  function load() {
    parts.range.hidden = filters.due !== "range";
    const text = formatFilters(filters);
    // The history keeps pages, not every letter that was typed.
    history.replaceState(null, "", `#/tasks${text ? `?${text}` : ""}`);
    board.filtered = isFiltered(filters);
    list.show(filters);
  }

  const readToolbar = () => {
    typed.cancel();
    const read = Object.fromEntries(FILTER_NAMES.map((name) => [name, toolbar[name].value]));
    clearErrors(parts.toolbar);
    if (read.due === "range" && read.from && read.to && read.from > read.to) {
      showErrors(parts.toolbar, new Map([["due_before", "This is before the first day."]]));
      return;
    }
    filters = read;
    load();
  };
  const typed = debounce(readToolbar, TYPING_PAUSE_MS);
  toolbar.q.addEventListener("input", typed);
  parts.toolbar.addEventListener("change", (event) => {
    if (event.target !== toolbar.q) readToolbar();
  });
  parts.toolbar.addEventListener("submit", (event) => {
    event.preventDefault();
    readToolbar();
  });

  return {
    fragment,
    title: "Tasks",
    start: () => {
      picker.load();
      apply(filters);
    },
    /** The address changed by hand, or by going back. */
    readAddress: (text) => text !== formatFilters(filters) && apply(parseFilters(text)),
    shortcuts: {
      n: () => composer.elements.title.focus(),
      "/": () => toolbar.q.select(),
      u: () => undo(),
      Escape: () => {
        if (document.activeElement === toolbar.q && toolbar.q.value) {
          toolbar.q.value = "";
          readToolbar();
        } else if (bulk.clear()) {
          announce("Nothing is selected");
        } else if (document.activeElement === composer.elements.title) {
          composer.elements.title.blur();
        }
      },
    },
    /** Before another page is shown, or the session ends: what was deleted stays deleted. */
    async settle() {
      typed.cancel();
      endToasts();
      await list.settled();
    },
    /** Last chance before the page goes: what was deleted is deleted for good. */
    leave: () => list.removeAll(),
  };
}

function shorten(title) {
  const letters = [...title];
  return letters.length > 40 ? `${letters.slice(0, 39).join("")}…` : title;
}
