// A chart of pairs of bars. It has no text of its own: what it says in numbers stands in a table beside it.

const SVG = "http://www.w3.org/2000/svg";
const SLOT = 10;
const BAR = 4;
const HEIGHT = 100;

/**
 * Draw a pair of bars for each bucket, over the whole width of the picture.
 * @param {SVGElement} svg
 * @param {{name: string, created: number, completed: number}[]} buckets
 * @param {number} peak what a bar of full height stands for
 */
export function drawBars(svg, buckets, peak) {
  svg.setAttribute("viewBox", `0 0 ${buckets.length * SLOT} ${HEIGHT}`);
  svg.replaceChildren(...buckets.map((bucket, number) => pair(bucket, number * SLOT + 1, peak)));
}

function pair({ name, created, completed }, x, peak) {
  const group = document.createElementNS(SVG, "g");
  const title = document.createElementNS(SVG, "title");
  title.textContent = `${name}: ${created} created, ${completed} completed`;
  group.append(title, bar("created", x, created / peak), bar("completed", x + BAR, completed / peak));
  return group;
}

function bar(kind, x, share) {
  const rect = document.createElementNS(SVG, "rect");
  const height = HEIGHT * share;
  const place = { x, y: HEIGHT - height, width: BAR, height };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  rect.classList.add(kind);
  return rect;
}
