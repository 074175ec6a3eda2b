// What both charts share: colours of the theme, the time axis, and drawing only what is seen.

import { colour, onTheme } from "./theme.js";

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "diamond", "square", "triangle-up", "x", "star"];
export const series = (index) => ({
  color: colour(`series-${index % 6}`), dash: DASHES[index % 6], symbol: SYMBOLS[index % 6],
});

/** The time axis begins with the first point where there are not so many yet, but not too late. */
export const SHORTEST = 45;

export function layout(more, seconds, now, first) {
  const axis = {
    gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, fixedrange: true,
    tickfont: { color: colour("faint"), size: 12 }, automargin: true,
  };
  const x = { ...axis, type: "date", showgrid: false, range: [time(Math.max(now - seconds, Math.min(first, now - SHORTEST))), time(now)], tickformat: "%H:%M:%S", tickangle: 0, nticks: 4 };
  return {
    margin: { l: 44, r: 16, t: 18, b: 28 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("ink") }, showlegend: false, hovermode: "x unified",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    ...more(axis, x),
  };
}

/** Plotly takes local time without a zone. */
export function time(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}

/** Draws by draw() when asked, but never while the element is out of sight. */
export class Chart {
  constructor(element, draw) {
    this.element = element;
    this.draw = draw;
    this.seen = false;
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      this.show();
    }).observe(element);
    new ResizeObserver(() => this.show()).observe(element);
    onTheme(() => this.show());
  }

  show() {
    if (!this.seen || document.hidden || !window.Plotly || this.element.hidden) return;
    const made = this.draw();
    if (made) {
      window.Plotly.react(this.element, made.data, { ...made.layout, width: this.element.clientWidth, height: this.element.clientHeight },
        { displayModeBar: false, displaylogo: false });
    }
  }
}
