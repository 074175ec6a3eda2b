// The table of replicas: state, restarts, CPU and memory of app and sidecar.

import { byId, row, setText } from "./dom.js";
import { bytes, percent } from "./format.js";

const LABELS = ["Replica", "Version", "State", "Restarts", "App CPU", "App mem.", "Sidecar CPU", "Sidecar mem."];
let unready = new Set();

export function showReplicas(rows) {
  byId("replicas").tBodies[0].replaceChildren(...rows.map((replica) => row(LABELS, [
    [replica.name], [replica.version || "–"],
    [replica.ready ? "● ready" : `▲ ${replica.reason || "not ready"}`, `state ${replica.ready ? "good" : "wrong"}`],
    [replica.restarts === null ? "–" : String(replica.restarts), replica.restarts ? "n bad" : "n"],
    ...["app", "sidecar"].flatMap((part) => [
      [percent(replica[part]?.cpu ?? null, 0), "n"], [bytes(replica[part]?.memory), "n"]]),
  ])));
  const now = new Set(rows.filter((replica) => !replica.ready).map((replica) => replica.name));
  const added = [...now].filter((name) => !unready.has(name));
  if (added.length) setText(byId("announcement"), `not ready: ${added.join(", ")}`);
  unready = now;
}
