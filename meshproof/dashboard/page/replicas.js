// Workloads and replicas: state, restarts, processor and memory of app and sidecar.

import { at, row, say } from "./dom.js";
import { bytes, percent } from "./format.js";

const LABELS = ["Replica", "Version", "State", "Restarts", "App CPU", "App mem.", "Sidecar CPU", "Sidecar mem."];
let unready = new Set();

export function showReplicas(rows) {
  at("replicas").tBodies[0].replaceChildren(...rows.map((one) => row(LABELS, [
    [one.name], [one.version || "–"],
    [one.ready ? "● ready" : `▲ ${one.reason || "not ready"}`, `state ${one.ready ? "good" : "wrong"}`],
    [one.restarts === null ? "–" : String(one.restarts), one.restarts ? "n bad" : "n"],
    ...["app", "sidecar"].flatMap((part) => [
      [percent(one[part]?.cpu ?? null, 0), "n"], [bytes(one[part]?.memory), "n"]]),
  ])));
  const now = new Set(rows.filter((one) => !one.ready).map((one) => one.name));
  const fresh = [...now].filter((name) => !unready.has(name));
  if (fresh.length) say(at("said"), `not ready: ${fresh.join(", ")}`);
  unready = now;
}
