// Wires the parts to the stream of views: one a second, by server-sent events.

import { get } from "./api.js";
import { showCalls } from "./calls.js";
import { at, say } from "./dom.js";
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

const FLUSHED = 2500; // milliseconds until the first trace is whole, and found
let searched = false;

function show(view) {
  const live = view.state === "live";
  say(at("mesh"), live ? `${view.mesh.name} · ${view.mesh.kind}` : view.mesh.name);
  state(live, view.message);
  showEvents(view.events);
  if (!live) return;
  points.add(view.point);
  say(at("applied"), view.rules.length ? `in force: ${view.rules.join(", ")}` : "no rule is in force");
  at("quiet").hidden = view.traffic;
  say(at("quiet-command"), view.mesh.name === "meshproof" ? "meshproof load" : `meshproof load --name ${view.mesh.name}`);
  showTiles(view);
  showGraph(view.graph);
  showCalls(view.graph);
  showSplit(view);
  showLoad();
  showReplicas(view.replicas);
  if (view.traffic && !searched) {
    searched = true;
    setTimeout(search, FLUSHED);
  }
}

function state(live, message) {
  const before = at("state").textContent;
  say(at("state"), live ? "● live" : "✕ not running");
  at("state").className = `pill ${live ? "good" : "wrong"}`;
  at("gone").hidden = live;
  say(at("gone"), live ? "" : message);
  if (before !== at("state").textContent) say(at("said"), live ? "The mesh is live" : `The mesh is not running: ${message}`);
  document.title = live ? at("mesh").textContent.split(" · ")[0] + " · meshproof" : "✕ meshproof";
}

function nodeChosen(id) {
  const name = id.split("/").pop();
  filterLog(id === "refused" ? "502 outbound" : name);
}

async function start() {
  startTheme();
  startTiles();
  startGraph(nodeChosen);
  startSplit();
  startLoad();
  startTraces();
  startLog();
  startRules();
  const { points: old, view } = await get("/api/history");
  points.load(old);
  show(view);
  const stream = new EventSource("/api/live");
  stream.onmessage = (event) => show(JSON.parse(event.data));
  stream.onerror = () => state(false, "The dashboard's process does not answer: it was ended, or the mesh with it.");
}

start();
