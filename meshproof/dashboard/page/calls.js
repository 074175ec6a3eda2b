// The graph's figures as a table: for exact reading, and for those who do not see the drawing.

import { at, row } from "./dom.js";
import { ms, percent, rate } from "./format.js";

const LABELS = ["From", "To", "Requests/s", "Failed", "p50", "p99", "Set", "Measured"];

export function showCalls(graph) {
  const names = Object.fromEntries(graph.nodes.map((node) => [node.id, name(node)]));
  const order = Object.fromEntries(graph.nodes.map((node) => [node.id, node.column * 1000 + node.row]));
  const edges = [...graph.edges].sort((a, b) =>
    order[a.source] - order[b.source] || order[a.target] - order[b.target]);
  at("calls").tBodies[0].replaceChildren(...edges.map((edge) => row(LABELS, [
    [names[edge.source]], [names[edge.target]],
    [rate(edge.rate), "n"],
    [edge.failed ? `▲ ${percent(edge.failed)}` : edge.rate ? "0 %" : "–", edge.failed ? "n bad" : "n"],
    [ms(edge.p50), "n"], [ms(edge.p99), "n"],
    [edge.note || percent(edge.set), edge.note ? "n faint note" : edge.set === null ? "n none" : "n"],
    [percent(edge.measured), edge.measured === null ? "n none" : "n"],
  ])));
  at("calls").hidden = !edges.length;
}

function name(node) {
  return node.kind === "workload" && node.subtitle ? `${node.title} ${node.subtitle}` : node.title;
}
