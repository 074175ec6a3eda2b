// What both charts share: colours of the theme, the time axis, and drawing only when visible.

import { colour, onTheme } from "./theme.js";

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "diamond", "square", "triangle-up", "x", "star"];
export const series = (index) => ({
  color: colour(`series-${index % 6}`), dash: DASHES[index % 6], symbol: SYMBOLS[index % 6],
});

/** Seconds: the time axis begins at the first point, but is never shorter than this. */
const MIN_SPAN = 45;

export function layout(extend, seconds, now, first) {
  const axis = {
    gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, fixedrange: true,
    tickfont: { color: colour("faint"), size: 12 }, automargin: true,
  };
  const x = { ...axis, type: "date", showgrid: false, range: [time(Math.max(now - seconds, Math.min(first, now - MIN_SPAN))), time(now)], tickformat: "%H:%M:%S", tickangle: 0, nticks: 4 };
  return {
    margin: { l: 44, r: 16, t: 18, b: 28 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("ink") }, showlegend: false, hovermode: "x unified",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    ...extend(axis, x),
  };
}

/** Plotly expects local time without a zone. */
export function time(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

/** Redraws with draw() whenever show() is called, but never while the element is not visible. */
export class Chart {
  constructor(element, draw) {
    this.element = element;
    this.draw = draw;
    this.visible = false;
    new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.show();
    }).observe(element);
    new ResizeObserver(() => this.show()).observe(element);
    onTheme(() => this.show());
  }

  show() {
    if (!this.visible || document.hidden || !window.Plotly || this.element.hidden) return;
    const figure = this.draw();
    if (figure) {
      window.Plotly.react(this.element, figure.data, { ...figure.layout, width: this.element.clientWidth, height: this.element.clientHeight },
        { displayModeBar: false, displaylogo: false });
    }
  }
}
