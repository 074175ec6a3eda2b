// Draws a section's charts when it is opened. The rest of the page needs no script.

const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const DASHES = ["solid", "dash", "dot", "dashdot"];
let plotly;

function loadPlotly() {
  plotly ??= (async () => {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    return window.Plotly;
  })();
  return plotly;
}

function layout(title, unit, load, changes) {
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, fixedrange: true, tickfont: { color: colour("faint") } };
  const end = load.start + load.width * load.bins.length;
  const inside = changes.filter((c) => c.at + c.seconds >= load.start && c.at + c.seconds <= end);
  return {
    title: { text: title, font: { size: 13 }, x: 0, xanchor: "left", y: 0.97, yanchor: "top", pad: { l: 4 } },
    margin: { l: 52, r: 14, t: 46, b: 34 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("ink") }, hovermode: "x unified",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    legend: { orientation: "h", yref: "container", y: 1, yanchor: "top", x: 1, xanchor: "right" },
    xaxis: { ...axis, showgrid: false, ticksuffix: " s", rangemode: "tozero", range: [0, end - load.start] },
    yaxis: { ...axis, rangemode: "tozero", ticksuffix: unit },
    shapes: inside.map((c) => ({ type: "line", x0: c.at + c.seconds - load.start, x1: c.at + c.seconds - load.start, y0: 0, y1: 1, yref: "paper", line: { color: colour(c.error ? "wrong" : "ink"), width: 1, dash: "dot" } })),
    annotations: inside.map((c) => ({ x: c.at + c.seconds - load.start, y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 11 }, text: `${c.error ? "✕" : ""}#${changes.indexOf(c) + 1}` })),
  };
}

const middle = (load) => load.bins.map((_, i) => (i + 0.5) * load.width);
const total = (bin) => Object.values(bin.versions).reduce((sum, n) => sum + n, 0);

/** The shares that the rules set at that moment, for a service with one of these versions. */
function expectedShares(changes, at, versions) {
  const last = changes.filter((c) => !c.error && Object.keys(c.shares).length && c.at + c.seconds <= at).pop();
  return Object.values(last?.shares ?? {}).find((s) => versions.some((v) => v in s));
}

function split(load, changes) {
  const versions = [...new Set(load.bins.flatMap((bin) => Object.keys(bin.versions)))].filter(Boolean).sort();
  if (!versions.length) return null;
  const x = middle(load);
  const traces = versions.flatMap((version, index) => {
    const line = { color: colour(`series-${index % 6}`), width: 2.2, dash: DASHES[index % 4] };
    const share = load.bins.map((bin) => (total(bin) ? 100 * (bin.versions[version] ?? 0) / total(bin) : null));
    return [...band(load, changes, version, versions, index), { name: version, x, y: share, mode: "lines", line, hovertemplate: "%{y:.1f} %" }];
  });
  return { traces, layout: { ...layout("Share of each version", " %", load, changes) }, range: [-4, 104] };
}

/** Where 999 of 1,000 bins of their size fall by chance alone, if the share is as the rules say. */
function band(load, changes, version, versions, index) {
  const set = load.bins.map((bin, i) => expectedShares(changes, load.start + i * load.width, versions)?.[version]);
  if (set.every((p) => p === undefined)) return [];
  const reach = set.map((p, i) => (p === undefined || !total(load.bins[i]) ? null : 3.29 * Math.sqrt(p * (100 - p) / total(load.bins[i]))));
  const edge = (sign) => set.map((p, i) => (reach[i] === null ? null : Math.max(0, Math.min(100, p + sign * reach[i]))));
  const common = { x: middle(load), mode: "lines", line: { width: 0, shape: "hvh" }, hoverinfo: "skip", showlegend: false };
  return [{ ...common, y: edge(-1) }, { ...common, y: edge(1), fill: "tonexty", fillcolor: `${colour(`series-${index % 6}`)}2e` }];
}

function latency(load, changes) {
  const line = (key, index) => ({ name: key, x: middle(load), y: load.bins.map((bin) => bin[key]), mode: "lines", line: { color: colour(`series-${index}`), width: 2, dash: DASHES[index] }, hovertemplate: "%{y:.1f} ms" });
  const failed = load.bins.map((bin) => bin.failed);
  const marks = { name: "failed", x: middle(load), y: failed.map((n) => (n ? 0 : null)), text: failed.map((n) => `${n} failed`), mode: "markers", marker: { symbol: "x", size: 9, color: colour("wrong") }, hovertemplate: "%{text}", showlegend: failed.some(Boolean) };
  return { traces: [line("p50", 0), line("p99", 1), marks], layout: layout("Time until the answer", " ms", load, changes) };
}

async function draw(element) {
  const section = data[element.dataset.section];
  const load = section.loads[element.dataset.load];
  const chart = { split, latency }[element.dataset.chart](load, section.changes);
  element.hidden = !chart;
  if (!chart) return;
  if (chart.range) chart.layout.yaxis.range = chart.range;
  const Plotly = await loadPlotly();
  await Plotly.react(element, chart.traces, { ...chart.layout, width: element.clientWidth, height: element.clientHeight }, { displayModeBar: false });
}

const drawn = new Set();
const watcher = new IntersectionObserver((entries) => entries.filter((e) => e.isIntersecting).forEach((e) => {
  drawn.add(e.target);
  draw(e.target);
}));
document.querySelectorAll(".chart").forEach((chart) => watcher.observe(chart));
const redraw = () => drawn.forEach(draw);
addEventListener("resize", redraw);
dark.addEventListener("change", redraw);

function openByHash() {
  const section = location.hash && document.querySelector(location.hash);
  if (section?.tagName === "DETAILS") section.open = true;
}
addEventListener("hashchange", openByHash);
openByHash();
