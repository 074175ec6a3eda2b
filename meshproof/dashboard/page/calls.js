// The figures of the graph as a table: for exact values, and for screen readers.

import { byId, row } from "./dom.js";
import { ms, percent, rate } from "./format.js";

const LABELS = ["From", "To", "Requests/s", "Failed", "p50", "p99", "Configured", "Measured"];

export function showCalls(graph) {
  const names = Object.fromEntries(graph.nodes.map((node) => [node.id, name(node)]));
  const order = Object.fromEntries(graph.nodes.map((node) => [node.id, node.column * 1000 + node.row]));
  const edges = [...graph.edges].sort((a, b) =>
    order[a.source] - order[b.source] || order[a.target] - order[b.target]);
  byId("calls").tBodies[0].replaceChildren(...edges.map((edge) => row(LABELS, [
    [names[edge.source]], [names[edge.target]],
    [rate(edge.rate), "n"],
    [edge.failed ? `▲ ${percent(edge.failed)}` : edge.rate ? "0 %" : "–", edge.failed ? "n bad" : "n"],
    [ms(edge.p50), "n"], [ms(edge.p99), "n"],
    [edge.note || percent(edge.set), edge.note ? "n faint note" : edge.set === null ? "n none" : "n"],
    [percent(edge.measured), edge.measured === null ? "n none" : "n"],
  ])));
  byId("calls").hidden = !edges.length;
}

function name(node) {
  return node.kind === "workload" && node.subtitle ? `${node.title} ${node.subtitle}` : node.title;
}
