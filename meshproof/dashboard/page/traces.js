// The search for traces, and its results.

import { get } from "./api.js";
import { byId, h } from "./dom.js";
import { clock, ms } from "./format.js";
import { showWaterfall } from "./waterfall.js";

export function startTraces() {
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  byId("service").addEventListener("focus", loadServices);
}

async function loadServices() {
  const { services } = await get("/api/services").catch(() => ({ services: [] }));
  const before = byId("service").value;
  byId("service").replaceChildren(h("option", { value: "" }, "any"), ...services.map((name) => h("option", { value: name }, name)));
  byId("service").value = services.includes(before) ? before : "";
}

let latest = 0;

export async function search() {
  const number = ++latest; // an answer that a newer search has overtaken is not shown
  const minimum = byId("min-duration").value;
  try {
    const { traces } = await get("/api/traces", {
      serviceName: byId("service").value, annotationQuery: byId("tag").value.trim(),
      minDuration: minimum ? String(Math.round(Number(minimum) * 1000)) : "",
    });
    if (number === latest) showResults(traces);
  } catch (error) {
    if (number !== latest) return;
    byId("trace-list").replaceChildren();
    byId("traces-status").textContent = error.message;
  }
}

function showResults(traces) {
  const longest = Math.max(...traces.map((trace) => trace.milliseconds), 0.001);
  byId("trace-list").replaceChildren(...traces.map((trace) => h("li", {}, button(trace, longest))));
  byId("traces-status").textContent = traces.length
    ? `${traces.length} traces, newest first. Select one to see its spans.`
    : "No trace matches. Send some load, or relax the search.";
}

function button(trace, longest) {
  const failed = trace.failed ? h("span", { class: "wrong" }, ` ▲ ${trace.failed} failed`) : null;
  return h("button", { type: "button", "data-trace": trace.id, onclick: () => open(trace.id) },
    h("span", { class: "name" }, trace.name, failed), h("span", { class: "ms" }, ms(trace.milliseconds)),
    h("span", { class: "about" }, `${clock(trace.at, 3)} · ${trace.spans} spans · ${trace.services.length} services`),
    h("span", { class: "length", "aria-hidden": "true", style: { width: `${100 * trace.milliseconds / longest}%` } }));
}

export async function open(id) {
  for (const button of document.querySelectorAll("#trace-list button")) {
    button.setAttribute("aria-current", String(button.dataset.trace === id));
  }
  try {
    showWaterfall(await get(`/api/trace/${encodeURIComponent(id)}`));
  } catch (error) {
    byId("waterfall").replaceChildren(h("p", { class: "notice wrong" }, error.message));
  }
}
