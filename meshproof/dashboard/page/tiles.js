// The four figures on top: what the gateway sees now.

import { at, h, say } from "./dom.js";
import { ms, percent, rate } from "./format.js";

const tiles = {};

function tile(key, name) {
  const value = h("div", { class: "value" });
  const box = h("div", { class: "tile" }, h("div", { class: "name" }, name), value);
  tiles[key] = { box, value };
  return box;
}

export function startTiles() {
  at("tiles").append(
    tile("rate", "Requests a second"), tile("failed", "Failed"),
    tile("p50", "Half answered within"), tile("p99", "99 % answered within"));
}

export function showTiles(view) {
  const edges = (view.graph?.edges || []).filter((edge) => edge.source === view.gateway);
  const sum = edges.reduce((total, edge) => total + edge.rate, 0);
  const bad = edges.reduce((total, edge) => total + edge.rate * edge.failed / 100, 0);
  const point = sum ? view.point : null;
  say(tiles.rate.value, edges.length ? rate(sum) : "–");
  say(tiles.failed.value, sum ? `${bad ? "▲ " : ""}${percent(100 * bad / sum)}` : "–");
  tiles.failed.box.classList.toggle("wrong", bad > 0);
  say(tiles.p50.value, ms(point?.p50));
  say(tiles.p99.value, ms(point?.p99));
}
