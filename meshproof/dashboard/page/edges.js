// The edges of the service graph, each with a label: rate, failures, durations, shares.

import { h } from "./dom.js";
import { ms, percent, rate } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

export function drawEdges(map, nodes, edges, { upright, small }) {
  map.querySelectorAll(":scope > svg, :scope > .label").forEach((old) => old.remove());
  const svg = svgElement("svg", { "aria-hidden": "true" });
  const box = map.getBoundingClientRect();
  const frame = { left: box.left - map.scrollLeft, top: box.top };
  const labels = [];
  for (const edge of edges) {
    const from = nodes.get(edge.source)?.getBoundingClientRect();
    const to = nodes.get(edge.target)?.getBoundingClientRect();
    if (!from || !to) continue;
    const line = ends(from, to, frame, upright);
    const bad = edge.failed > 0;
    const kind = bad ? " wrong" : edge.rate ? "" : " idle";
    const width = edge.rate ? Math.min(1.5 + Math.log10(1 + edge.rate), 5) : 1.5;
    svg.append(svgElement("path", { class: `edge${kind}`, d: curve(line, upright), "stroke-width": width }), arrowhead(line, upright, bad));
    if (edge.rate) labels.push(label(edge, pointOnCurve(line, labelPosition(edge, edges, upright), upright), bad, small));
  }
  map.prepend(svg);
  map.append(...labels);
}

function ends(from, to, frame, upright) {
  const x = (box, share) => box.left - frame.left + box.width * share;
  const y = (box, share) => box.top - frame.top + box.height * share;
  return upright
    ? { x1: x(from, 0.5), y1: y(from, 1), x2: x(to, 0.5), y2: y(to, 0) - 7 }
    : { x1: x(from, 1), y1: y(from, 0.5), x2: x(to, 0) - 7, y2: y(to, 0.5) };
}

function curve({ x1, y1, x2, y2 }, upright) {
  const bend = (upright ? y2 - y1 : x2 - x1) * 0.45;
  return upright
    ? `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`
    : `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}

function arrowhead({ x2, y2 }, upright, bad) {
  const points = upright
    ? `${x2},${y2 + 6} ${x2 - 5},${y2 - 3} ${x2 + 5},${y2 - 3}`
    : `${x2 + 6},${y2} ${x2 - 3},${y2 - 5} ${x2 - 3},${y2 + 5}`;
  return svgElement("polygon", { class: `arrowhead${bad ? " wrong" : ""}`, points });
}

/** Where on its edge a label is, from 0 to 1: away from the node where several edges meet. */
function labelPosition(edge, edges, upright) {
  const busy = edges.filter((other) => other.rate);
  const out = busy.filter((other) => other.source === edge.source).length;
  const into = busy.filter((other) => other.target === edge.target).length;
  const offset = upright ? 0.24 : 0.05;
  return out > 1 && into <= 1 ? 0.5 + offset : into > 1 && out <= 1 ? 0.5 - offset : 0.5;
}

/** The point of the Bezier curve at t. */
function pointOnCurve({ x1, y1, x2, y2 }, t, upright) {
  const bend = (upright ? y2 - y1 : x2 - x1) * 0.45;
  const mix = (a, b, c, d) => (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
  return upright
    ? [mix(x1, x1, x2, x2), mix(y1, y1 + bend, y2 - bend, y2)]
    : [mix(x1, x1 + bend, x2 - bend, x2), mix(y1, y1, y2, y2)];
}

function label(edge, [x, y], bad, small) {
  return h("div", { class: `label${bad ? " wrong" : ""}`, style: { left: `${x}px`, top: `${y}px` }, "aria-hidden": "true" },
    h("div", {}, h("span", { class: "rate" }, `${rate(edge.rate)}/s`),
      bad ? h("span", { class: "bad" }, ` ▲ ${percent(edge.failed)}${small ? "" : " failed"}`) : null),
    h("div", { class: "faint" }, small ? `p99 ${ms(edge.p99)}` : `p50 ${ms(edge.p50)} · p99 ${ms(edge.p99)}`),
    split(edge, small));
}

function split(edge, small) {
  if (edge.measured === null) return null;
  if (edge.set === null) return h("div", {}, `got ${percent(edge.measured)}`);
  if (small) return h("div", {}, h("b", {}, percent(edge.measured)), ` (set ${edge.set})`);
  return h("div", {}, `set ${percent(edge.set)} · `, h("b", {}, `got ${percent(edge.measured)}`));
}
