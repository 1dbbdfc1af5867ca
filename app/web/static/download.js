// Files that need the log-in can't be plain links: they are fetched first and then saved.

/** Have the browser save `content` as a file. */
export function saveAs(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken hold of the content once the click is handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
