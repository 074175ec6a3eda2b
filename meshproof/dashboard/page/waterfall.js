// One trace: a row a span, beneath its parent, its bar where it was in time. Enter shows its tags.

import { at, h } from "./dom.js";
import { ms } from "./format.js";

export function showWaterfall(trace) {
  const services = [...new Set(trace.rows.map((one) => one.service))];
  const scale = trace.milliseconds || 1;
  at("waterfall").replaceChildren(
    h("div", { class: "top" }, h("h3", {}, `${trace.name}, ${ms(trace.milliseconds)}`), h("span", { class: "hint code" }, trace.id)),
    h("div", { class: "axis", "aria-hidden": "true" },
      h("div", {}, ...[0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, ms(part * scale))))),
    ...trace.rows.map((one) => span(one, scale, services.indexOf(one.service))));
}

function span(one, scale, index) {
  const left = 100 * one.start / scale;
  const width = Math.min(100 * one.milliseconds / scale, 100 - left);
  const bar = h("span", { class: `span ${one.kind.toLowerCase()}${one.failed ? " wrong" : ""}`, style: { left: `${left}%`, width: `${width}%` } });
  bar.style.setProperty("--series", `var(--series-${index % 6})`);
  const way = { SERVER: "in", CLIENT: "out" }[one.kind] || "";
  return h("details", {},
    h("summary", {},
      h("span", { class: "who", style: { paddingLeft: `${one.depth * 14}px` }, title: `${one.service} ${one.name}` },
        h("b", {}, one.service.split(".")[0]), ` ${way} `, h("span", { class: "hint" }, one.name)),
      h("span", { class: "lane" }, bar),
      h("span", { class: `time${one.failed ? " wrong-text" : ""}` }, ms(one.milliseconds),
        one.failed ? h("span", { class: "why" }, ` ▲ ${one.status || "error"}`) : null)),
    h("dl", {}, ...Object.entries(one.tags).flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])));
}
