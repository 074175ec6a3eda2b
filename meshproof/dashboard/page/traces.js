// A search for traces, and the choice of one.

import { get } from "./api.js";
import { at, h } from "./dom.js";
import { clock, ms } from "./format.js";
import { showWaterfall } from "./waterfall.js";

export function startTraces() {
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  at("service").addEventListener("focus", services);
}

async function services() {
  const { services: found } = await get("/api/services").catch(() => ({ services: [] }));
  const before = at("service").value;
  at("service").replaceChildren(h("option", { value: "" }, "any"), ...found.map((name) => h("option", { value: name }, name)));
  at("service").value = found.includes(before) ? before : "";
}

export async function search() {
  const shortest = at("shortest").value;
  try {
    const { traces } = await get("/api/traces", {
      serviceName: at("service").value, annotationQuery: at("tag").value.trim(),
      minDuration: shortest ? String(Math.round(Number(shortest) * 1000)) : "",
    });
    list(traces);
  } catch (error) {
    at("found").replaceChildren();
    at("traces-said").textContent = error.message;
  }
}

function list(traces) {
  const longest = Math.max(...traces.map((trace) => trace.milliseconds), 0.001);
  at("found").replaceChildren(...traces.map((trace) => h("li", {}, button(trace, longest))));
  at("traces-said").textContent = traces.length
    ? `${traces.length} found, the newest first; choose one to see its way.`
    : "None fits. Send some load, or ask for less.";
}

function button(trace, longest) {
  const failed = trace.failed ? h("span", { class: "wrong" }, ` ▲ ${trace.failed} failed`) : null;
  return h("button", { type: "button", "data-trace": trace.id, onclick: () => open(trace.id) },
    h("span", { class: "name" }, trace.name, failed), h("span", { class: "ms" }, ms(trace.milliseconds)),
    h("span", { class: "who" }, `${clock(trace.at, 3)} · ${trace.spans} spans · ${trace.services.length} services`),
    h("span", { class: "length", "aria-hidden": "true", style: { width: `${100 * trace.milliseconds / longest}%` } }));
}

export async function open(id) {
  for (const button of document.querySelectorAll("#found button")) {
    button.setAttribute("aria-current", String(button.dataset.trace === id));
  }
  try {
    showWaterfall(await get(`/api/trace/${encodeURIComponent(id)}`));
  } catch (error) {
    at("waterfall").replaceChildren(h("p", { class: "notice wrong" }, error.message));
  }
}
