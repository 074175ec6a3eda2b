// The four figures at the top: the gateway's traffic now.

import { byId, h, setText } from "./dom.js";
import { ms, percent, rate } from "./format.js";

const tiles = {};

function tile(key, name) {
  const value = h("div", { class: "value" });
  const box = h("div", { class: "tile" }, h("div", { class: "name" }, name), value);
  tiles[key] = { box, value };
  return box;
}

export function startTiles() {
  byId("tiles").append(
    tile("rate", "Requests per second"), tile("failed", "Failed"),
    tile("p50", "p50 latency"), tile("p99", "p99 latency"));
}

export function showTiles({ entry }) {
  const bad = entry.failed > 0;
  setText(tiles.rate.value, rate(entry.rate));
  setText(tiles.failed.value, entry.rate ? `${bad ? "▲ " : ""}${percent(entry.failed)}` : "–");
  tiles.failed.box.classList.toggle("wrong", bad);
  setText(tiles.p50.value, ms(entry.p50));
  setText(tiles.p99.value, ms(entry.p99));
}
