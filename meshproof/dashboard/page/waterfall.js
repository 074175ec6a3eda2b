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
  const late = left + width > 75;
  const kind = `span ${one.kind.toLowerCase()}${one.failed ? " wrong" : ""}`;
  const bar = h("div", { class: kind, style: { left: `${left}%`, width: `${width}%` } });
  bar.style.setProperty("--series", `var(--series-${index % 6})`);
  const where = late ? { right: `${100 - left}%` } : { left: `${left + width}%` };
  const time = h("span", { class: `time${one.failed ? " wrong-text" : ""}`, style: where },
    `${one.failed ? "▲ " : ""}${ms(one.milliseconds)}${one.failed ? ` ${one.status}` : ""}`);
  return h("details", {},
    h("summary", {},
      h("span", { class: "who", style: { paddingLeft: `${one.depth * 14}px` }, title: `${one.service} ${one.name}` },
        h("b", {}, one.service.split(".")[0]), ` ${one.kind === "SERVER" ? "in" : one.kind === "CLIENT" ? "out" : ""} `,
        h("span", { class: "hint" }, one.name)),
      h("span", { class: "lane" }, bar, time)),
    h("dl", {}, ...Object.entries(one.tags).flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])));
}
