// One trace: a row for each span, beneath its parent, with a bar on the time axis. Enter shows tags.

import { byId, h } from "./dom.js";
import { ms } from "./format.js";

export function showWaterfall(trace) {
  const services = [...new Set(trace.rows.map((row) => row.service))];
  const scale = trace.milliseconds || 1;
  byId("waterfall").replaceChildren(
    h("div", { class: "top" }, h("h3", {}, `${trace.name}, ${ms(trace.milliseconds)}`), h("span", { class: "hint code" }, trace.id)),
    h("div", { class: "axis", "aria-hidden": "true" },
      h("div", {}, ...[0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, ms(part * scale))))),
    ...trace.rows.map((row) => span(row, scale, services.indexOf(row.service))));
}

function span(row, scale, index) {
  const left = 100 * row.start / scale;
  const width = Math.min(100 * row.milliseconds / scale, 100 - left);
  const bar = h("span", { class: `span ${row.kind.toLowerCase()}${row.failed ? " wrong" : ""}`, style: { left: `${left}%`, width: `${width}%` } });
  bar.style.setProperty("--series", `var(--series-${index % 6})`);
  const direction = { SERVER: "in", CLIENT: "out" }[row.kind] || "";
  return h("details", {},
    h("summary", {},
      h("span", { class: "about", style: { paddingLeft: `${row.depth * 14}px` }, title: `${row.service} ${row.name}` },
        h("b", {}, row.service.split(".")[0]), ` ${direction} `, h("span", { class: "hint" }, row.name)),
      h("span", { class: "lane" }, bar),
      h("span", { class: `time${row.failed ? " wrong-text" : ""}` }, ms(row.milliseconds),
        row.failed ? h("span", { class: "reason" }, ` ▲ ${row.status || "error"}`) : null)),
    h("dl", {}, ...Object.entries(row.tags).flatMap(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])));
}
