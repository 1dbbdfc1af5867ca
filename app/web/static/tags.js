// Tags, as people type them: in one line, with commas between. One that has a comma or a quote stands in quotes.

const MOST_TAGS = 20;
const LONGEST_TAG = 50;
const ONE_TAG = /\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/y;

/** The tags of a line, each once. */
export function parseTags(text) {
  const tags = [];
  ONE_TAG.lastIndex = 0;
  while (ONE_TAG.lastIndex < text.length) {
    const [, quoted, plain] = ONE_TAG.exec(text);
    tags.push((quoted?.replaceAll('""', '"') ?? plain).trim());
  }
  return [...new Set(tags.filter(Boolean))];
}

export const formatTags = (tags) =>
  tags.map((tag) => (/[",]/.test(tag) ? `"${tag.replaceAll('"', '""')}"` : tag)).join(", ");

/** What is wrong with a line of tags, in a sentence; empty if nothing is. */
export function tagProblem(text) {
  const tags = parseTags(text);
  if (tags.length > MOST_TAGS) return `A task has at most ${MOST_TAGS} tags.`;
  if (tags.some((tag) => [...tag].length > LONGEST_TAG)) return `A tag has at most ${LONGEST_TAG} characters.`;
  return "";
}
