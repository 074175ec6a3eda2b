// The split over time: measured and configured share of each version, and when rules changed.

import { Chart, layout, series, time } from "./chart.js";
import { byId, setText } from "./dom.js";
import { percent, short } from "./format.js";
import { last, newest } from "./points.js";
import { colour } from "./theme.js";

let events = [];
let chart;

export function startSplit() {
  chart = new Chart(byId("split-chart"), draw);
  byId("span").addEventListener("change", () => chart.show());
}

export function showSplit(view) {
  events = view.events;
  const service = findService(last(900, newest()?.at || 0));
  byId("split-empty").hidden = Boolean(service);
  byId("split-chart").hidden = !service;
  setText(byId("split-service"), service ? `calls to ${short(service)}` : "");
  chart.show();
}

function findService(points) {
  for (const point of [...points].reverse()) {
    const services = Object.keys(point.split).sort();
    if (services.length) return services[0];
  }
  return null;
}

export const span = () => Number(byId("span").value);

function draw() {
  const now = newest()?.at;
  if (!now) return null;
  const points = last(span(), now);
  if (!points.length) return null;
  const service = findService(last(900, now));
  const versions = [...new Set(points.flatMap((point) => Object.keys(point.split[service] || {})))].sort();
  const data = versions.flatMap((version, index) => [
    configuredLine(points, service, version, series(index)), measuredLine(points, service, version, series(index))]);
  const ends = versions.map((version, index) => endLabel(points, service, version, series(index)));
  const { shapes, annotations } = marks(Math.max(now - span(), points[0].at), now);
  return {
    data,
    layout: layout((axis, x) => ({
      xaxis: x, yaxis: { ...axis, range: [-4, 106], tickvals: [0, 25, 50, 75, 100], ticktext: ["0 %", "25 %", "50 %", "75 %", "100 %"] },
      margin: { l: 50, r: 92, t: 22, b: 28 }, shapes, annotations: [...annotations, ...spread(ends.filter(Boolean))],
    }), span(), now, points[0].at),
  };
}

function share(point, service, version) {
  const counts = point.split[service];
  if (!counts) return null;
  const sum = Object.values(counts).reduce((total, count) => total + count, 0);
  return sum ? 100 * (counts[version] || 0) / sum : null;
}

function measuredLine(points, service, version, style) {
  const sparse = Math.ceil(points.length / 12);
  return {
    name: version, x: points.map((p) => time(p.at)), y: points.map((p) => share(p, service, version)),
    mode: "lines+markers", line: { color: style.color, width: 2.5 },
    marker: { symbol: style.symbol, size: points.map((_, index) => (index % sparse ? 0 : 8)), color: style.color },
    hovertemplate: "%{y:.1f} %", connectgaps: false,
  };
}

function configuredLine(points, service, version, style) {
  return {
    name: `${version} configured`, x: points.map((p) => time(p.at)), y: points.map((p) => p.set?.[service]?.[version] ?? null),
    mode: "lines", line: { color: style.color, width: 1.5, dash: "dash", shape: "hv" }, opacity: 0.8, hovertemplate: "%{y:.0f} %",
  };
}

function endLabel(points, service, version, style) {
  const point = [...points].reverse().find((p) => share(p, service, version) !== null);
  const value = point && share(point, service, version);
  return value === undefined ? null : {
    x: 1, xref: "paper", xanchor: "left", xshift: 6, y: value, yanchor: "middle", showarrow: false,
    text: `<b>${version}</b> ${percent(value)}`, font: { color: style.color, size: 13 },
  };
}

/** Moves overlapping labels apart. */
function spread(labels) {
  labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i += 1) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + 9);
  return labels;
}

function marks(from, to) {
  const inside = events.filter((event) => event.live >= from && event.live <= to);
  const line = (event) => ({
    type: "line", x0: time(event.live), x1: time(event.live), y0: 0, y1: 1, yref: "paper",
    line: { color: colour(event.error ? "wrong" : "ink"), width: 1.2, dash: "dot" },
  });
  const text = (event) => ({
    x: time(event.live), y: 1, yref: "paper", yanchor: "bottom", showarrow: false,
    text: `${event.error ? "✕" : ""}#${event.number}`, font: { size: 12, color: colour(event.error ? "wrong" : "ink") },
  });
  return { shapes: inside.map(line), annotations: withLabel(inside, (to - from) * 30 / Math.max(byId("split-chart").clientWidth - 142, 100)).map(text) };
}

/** Of marks closer together than their labels are wide, only the newest get one. */
function withLabel(inside, width) {
  const labelled = [];
  for (const event of [...inside].sort((a, b) => b.live - a.live)) {
    if (!labelled.length || labelled[labelled.length - 1].live - event.live > width) labelled.push(event);
  }
  return labelled;
}
