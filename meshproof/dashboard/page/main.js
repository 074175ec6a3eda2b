// Connects the parts of the page to the stream of views: one per second, by server-sent events.

import { get } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, setText } from "./dom.js";
import { showEvents } from "./events.js";
import { showGraph, startGraph } from "./graph.js";
import { showLoad, startLoad } from "./load_chart.js";
import { filterLog, startLog } from "./log.js";
import * as points from "./points.js";
import { showReplicas } from "./replicas.js";
import { startRules } from "./rules.js";
import { showSplit, startSplit } from "./split_chart.js";
import { startTheme } from "./theme.js";
import { showTiles, startTiles } from "./tiles.js";
import { search, startTraces } from "./traces.js";

const FLUSH_TIME = 2500; // milliseconds until the first trace is complete
let searched = false;

function show(view) {
  const live = view.state === "live";
  setText(byId("mesh"), live ? `${view.mesh.name} · ${view.mesh.kind}` : view.mesh.name);
  showState(live, view.message);
  showEvents(view.events);
  if (!live) return;
  points.add(view.point);
  setText(byId("applied"), view.rules.length ? `in force: ${view.rules.join(", ")}` : "no rule is in force");
  byId("no-traffic").hidden = view.traffic;
  setText(byId("no-traffic-command"), view.mesh.name === "meshproof" ? "meshproof load" : `meshproof load --name ${view.mesh.name}`);
  showTiles(view);
  showGraph(view.graph);
  showCalls(view.graph);
  showSplit(view);
  showLoad();
  showReplicas(view.replicas);
  if (view.traffic && !searched) {
    searched = true;
    setTimeout(search, FLUSH_TIME);
  }
}

function showState(live, message) {
  const before = byId("state").textContent;
  setText(byId("state"), live ? "● live" : "✕ not running");
  byId("state").className = `pill ${live ? "good" : "wrong"}`;
  byId("not-running").hidden = live;
  setText(byId("not-running"), live ? "" : message);
  if (before !== byId("state").textContent) setText(byId("announcement"), live ? "The mesh is live" : `The mesh is not running: ${message}`);
  document.title = live ? byId("mesh").textContent.split(" · ")[0] + " · meshproof" : "✕ meshproof";
}

function showNodeLog(id) {
  const name = id.split("/").pop();
  filterLog(id === "refused" ? "502 outbound" : name);
}

async function start() {
  startTheme();
  startTiles();
  startGraph(showNodeLog);
  startSplit();
  startLoad();
  startTraces();
  startLog();
  startRules();
  const { points: history, view } = await get("/api/history");
  points.load(history);
  show(view);
  const stream = new EventSource("/api/live");
  stream.onmessage = (event) => show(JSON.parse(event.data));
  stream.onerror = () => showState(false, "The dashboard's process does not answer: it has ended, or the mesh has.");
}

start();
