// The service graph: nodes as buttons in a grid, edges as lines with labels. The server computes
// rows and columns; here they are fitted to the width of the page.

import { byId, h, setText } from "./dom.js";
import { drawEdges } from "./edges.js";

const NODE = { wide: 158, small: 136 };
const GAP = { wide: 178, small: 112 }; // what a label needs between two nodes
const map = byId("map");
const grid = h("div", { class: "grid" });
const nodes = new Map();
let current = { nodes: [], edges: [] };
let onSelect = () => {};

export function startGraph(callback) {
  onSelect = callback;
  map.append(grid);
  new ResizeObserver(arrange).observe(map);
}

export function showGraph(graph) {
  current = graph;
  const ids = new Set(graph.nodes.map((node) => node.id));
  for (const [id, element] of nodes) {
    if (!ids.has(id)) {
      element.remove();
      nodes.delete(id);
    }
  }
  graph.nodes.forEach(update);
  arrange();
}

function update(node) {
  let element = nodes.get(node.id);
  if (!element) {
    element = h("button", { type: "button", onclick: () => onSelect(node.id) },
      h("span", { class: "title" }), h("span", { class: "sub" }));
    nodes.set(node.id, element);
    grid.append(element);
  }
  const unready = node.kind === "workload" && node.ready < Math.max(node.replicas, 1);
  element.className = `node ${node.kind}${unready ? " unready" : ""}`;
  setText(element.querySelector(".title"), node.title);
  setText(element.querySelector(".sub"), subtitle(node, unready));
  element.title = "Show its access log";
}

function subtitle(node, unready) {
  if (node.kind === "gateway") return "from outside";
  if (node.kind !== "workload") return node.subtitle;
  const state = unready ? `⚠ ${node.ready} of ${node.replicas} ready` : `${node.replicas}× ready`;
  return [node.subtitle, state].filter(Boolean).join(" · ");
}

function arrange() {
  const columns = Math.max(...current.nodes.map((node) => node.column + 1), 1);
  const fits = (size) => map.clientWidth >= columns * NODE[size] + (columns - 1) * GAP[size];
  const upright = !fits("small");
  const small = !fits("wide");
  map.classList.toggle("upright", upright);
  map.classList.toggle("small", small);
  const rows = Math.max(...current.nodes.map((node) => node.row + 1), 1);
  const inColumn = current.nodes.reduce((count, node) => {
    count[node.column] = (count[node.column] || 0) + 1;
    return count;
  }, {});
  grid.style[upright ? "gridTemplateRows" : "gridTemplateColumns"] = `repeat(${columns}, auto)`;
  grid.style[upright ? "gridTemplateColumns" : "gridTemplateRows"] = `repeat(${rows * 2}, ${upright ? "1fr" : "auto"})`;
  grid.style.minWidth = upright ? `${Math.max(...Object.values(inColumn)) * (NODE.small + 4)}px` : "";
  for (const node of current.nodes) {
    // Twice as many tracks as rows, so that a shorter column is centred.
    const start = 1 + (rows - inColumn[node.column]) + node.row * 2;
    const style = nodes.get(node.id).style;
    style[upright ? "gridRow" : "gridColumn"] = String(node.column + 1);
    style[upright ? "gridColumn" : "gridRow"] = `${start} / span 2`;
    style.justifySelf = "center";
  }
  drawEdges(map, nodes, current.edges, { upright, small });
}
