// The gateway's traffic over time: requests and failures per second above, durations below.

import { Chart, layout, series, time } from "./chart.js";
import { byId } from "./dom.js";
import { last, newest } from "./points.js";
import { span } from "./split_chart.js";
import { colour } from "./theme.js";

let chart;

export function startLoad() {
  chart = new Chart(byId("load-chart"), draw);
  byId("span").addEventListener("change", () => chart.show());
}

export function showLoad() {
  const hasTraffic = last(900, newest()?.at || 0).some((point) => point.rate > 0);
  byId("load-empty").hidden = hasTraffic;
  byId("load-chart").hidden = !hasTraffic;
  chart.show();
}

function draw() {
  const now = newest()?.at;
  if (!now) return null;
  const points = last(span(), now);
  if (!points.length) return null;
  const x = points.map((point) => time(point.at));
  const line = (name, key, style, extra) => ({
    name, x, y: points.map((point) => point[key]), mode: "lines", line: { color: style.color, width: 2.2, dash: style.dash }, ...extra,
  });
  const failure = { color: colour("wrong"), dash: "solid" };
  return {
    data: [
      line("requests/s", "rate", series(0), { hovertemplate: "%{y:.0f}" }),
      line("failed/s", "failed", failure, { fill: "tozeroy", hovertemplate: "%{y:.1f}" }),
      line("p50", "p50", series(2), { yaxis: "y2", line: { color: series(2).color, width: 2.2 }, hovertemplate: "%{y:.1f} ms" }),
      line("p99", "p99", series(3), { yaxis: "y2", line: { color: series(3).color, width: 2.2, dash: "dash" }, hovertemplate: "%{y:.1f} ms" }),
    ],
    layout: layout((axis, xaxis) => ({
      xaxis: { ...xaxis, anchor: "y2" },
      yaxis: { ...axis, domain: [0.56, 1], rangemode: "tozero", nticks: 4 },
      yaxis2: { ...axis, domain: [0.02, 0.42], rangemode: "tozero", nticks: 4, ticksuffix: " ms" },
      margin: { l: 58, r: 92, t: 22, b: 28 }, annotations: curveLabels(points),
    }), span(), now, points[0].at),
  };
}

/** The name of each curve at its end, instead of a legend. */
function curveLabels(points) {
  const point = points[points.length - 1];
  const label = (key, text, color, yref, yanchor) => (point?.[key] === null ? null : {
    x: 1, xref: "paper", xanchor: "left", xshift: 6, y: point[key], yref, yanchor, showarrow: false, text, font: { color, size: 13 },
  });
  return [
    label("rate", "<b>requests/s</b>", series(0).color, "y", "bottom"), label("failed", "<b>failed/s</b>", colour("wrong"), "y", "top"),
    label("p50", "<b>p50</b>", series(2).color, "y2", "middle"), label("p99", "<b>p99</b>", series(3).color, "y2", "bottom"),
  ].filter(Boolean);
}
