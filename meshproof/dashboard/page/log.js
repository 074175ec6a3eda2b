// The newest access log lines that contain every word of the filter; loaded while visible.

import { get } from "./api.js";
import { byId, h } from "./dom.js";
import { clock } from "./format.js";
import { open } from "./traces.js";

const INTERVAL = 2000;
let visible = false;
let loading = false;
let paused = false;

export function startLog() {
  new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    refresh();
  }).observe(byId("log"));
  byId("filter").addEventListener("input", () => refresh(true));
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    byId("pause").textContent = paused ? "Resume" : "Pause";
  });
  setInterval(refresh, INTERVAL);
}

export function filterLog(terms) {
  byId("filter").value = terms;
  byId("log").scrollIntoView();
  byId("filter").focus({ preventScroll: true });
  refresh(true);
}

async function refresh(force = false) {
  if (!force && (loading || !visible || paused || document.hidden || byId("lines").contains(document.activeElement))) return;
  const filter = byId("filter").value.trim();
  loading = true;
  try {
    const { lines } = await get("/api/log", { filter });
    if (filter !== byId("filter").value.trim()) return; // the filter has changed meanwhile
    byId("lines").tBodies[0].replaceChildren(...lines.map(line));
    byId("lines").hidden = !lines.length;
    byId("log-status").hidden = lines.length > 0;
    byId("log-status").textContent = filter ? `No line contains ${filter}.` : "Nothing yet: the log begins with the first request.";
  } catch (error) {
    byId("log-status").hidden = false;
    byId("log-status").textContent = error.message;
  } finally {
    loading = false;
  }
}

function line(record) {
  const bad = record.code === 0 || record.code >= 500;
  const trace = record.trace_id ? h("button", { type: "button", class: "link", onclick: () => show(record.trace_id) }, record.trace_id.slice(0, 8)) : "";
  const cell = (text, kind) => h("td", { class: kind || null }, text);
  const request = `${record.method} ${record.authority}${record.path}`;
  return h("tr", {},
    cell(clock(Date.parse(record.time) / 1000, 3)), cell(bad ? `▲ ${record.code}` : String(record.code), bad ? "n bad" : "n"),
    cell(record.flags, "faint"), cell(String(record.duration_ms), "n"), cell(record.sidecar), cell(record.direction, "faint"),
    h("td", { class: "path", title: request }, request), cell(trace));
}

function show(id) {
  byId("traces").scrollIntoView();
  open(id);
}
