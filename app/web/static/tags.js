// Tags, as people type them: in one line, with commas between.

const MOST_TAGS = 20;
const LONGEST_TAG = 50;

/** The tags of a line, each once. */
export const parseTags = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];

export const formatTags = (tags) => tags.join(", ");

/** What is wrong with a line of tags, in a sentence; empty if nothing is. */
export function tagProblem(text) {
  const tags = parseTags(text);
  if (tags.length > MOST_TAGS) return `A task has at most ${MOST_TAGS} tags.`;
  if (tags.some((tag) => [...tag].length > LONGEST_TAG)) return `A tag has at most ${LONGEST_TAG} characters.`;
  return "";
}
