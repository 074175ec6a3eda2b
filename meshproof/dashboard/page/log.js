// The newest access log lines that hold every word of the filter; asked for while they are seen.

import { get } from "./api.js";
import { at, h } from "./dom.js";
import { clock } from "./format.js";
import { open } from "./traces.js";

const EVERY = 2000;
let seen = false;
let asking = false;
let paused = false;

export function startLog() {
  new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    refresh();
  }).observe(at("log"));
  at("filter").addEventListener("input", () => refresh(true));
  at("pause").addEventListener("click", () => {
    paused = !paused;
    at("pause").setAttribute("aria-pressed", String(paused));
    at("pause").textContent = paused ? "Go on" : "Pause";
  });
  setInterval(refresh, EVERY);
}

export function filterLog(words) {
  at("filter").value = words;
  at("log").scrollIntoView();
  at("filter").focus({ preventScroll: true });
  refresh(true);
}

async function refresh(asked = false) {
  if (!asked && (asking || !seen || paused || document.hidden || at("lines").contains(document.activeElement))) return;
  const filter = at("filter").value.trim();
  asking = true;
  try {
    const { lines } = await get("/api/log", { filter });
    if (filter !== at("filter").value.trim()) return; // typed on meanwhile
    at("lines").tBodies[0].replaceChildren(...lines.map(line));
    at("lines").hidden = !lines.length;
    at("log-said").hidden = lines.length > 0;
    at("log-said").textContent = filter ? `No line holds ${filter}.` : "Nothing yet: the log fills with the first request.";
  } catch (error) {
    at("log-said").hidden = false;
    at("log-said").textContent = error.message;
  } finally {
    asking = false;
  }
}

function line(one) {
  const bad = one.code === 0 || one.code >= 500;
  const trace = one.trace_id ? h("button", { type: "button", class: "link", onclick: () => show(one.trace_id) }, one.trace_id.slice(0, 8)) : "";
  const cell = (text, kind) => h("td", { class: kind || null }, text);
  const request = `${one.method} ${one.authority}${one.path}`;
  return h("tr", {},
    cell(clock(Date.parse(one.time) / 1000, 3)), cell(bad ? `▲ ${one.code}` : String(one.code), bad ? "n bad" : "n"),
    cell(one.flags, "faint"), cell(String(one.duration_ms), "n"), cell(one.sidecar), cell(one.direction, "faint"),
    h("td", { class: "path", title: request }, request), cell(trace));
}

function show(id) {
  at("traces").scrollIntoView();
  open(id);
}
