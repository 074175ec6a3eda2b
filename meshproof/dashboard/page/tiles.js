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

export function showTiles({ entry }) {
  const bad = entry.failed > 0;
  say(tiles.rate.value, rate(entry.rate));
  say(tiles.failed.value, entry.rate ? `${bad ? "▲ " : ""}${percent(entry.failed)}` : "–");
  tiles.failed.box.classList.toggle("wrong", bad);
  say(tiles.p50.value, ms(entry.p50));
  say(tiles.p99.value, ms(entry.p99));
}
