// Sizes of files, as people read them.

const LARGEST = 10 * 1024 * 1024;
const UNITS = ["byte", "kilobyte", "megabyte"];

/** A number of bytes in the unit that suits it: "2.3 MB". Rounded up, so that what is too large looks so. */
export function formatSize(bytes) {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const style = { style: "unit", unit: UNITS[power], maximumFractionDigits: 1, roundingMode: "ceil" };
  return new Intl.NumberFormat("en", { ...style, unitDisplay: power ? "short" : "long" }).format(bytes / 1024 ** power);
}

/** What is wrong with a file before it is sent, in a sentence; empty if nothing is. */
export function sizeProblem({ name, size }) {
  if (size === 0) return `“${name}” is empty.`;
  if (size > LARGEST) return `“${name}” has ${formatSize(size)}. A file may have ${formatSize(LARGEST)} at most.`;
  return "";
}
