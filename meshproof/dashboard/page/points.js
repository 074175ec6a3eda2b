// The points of the curves, as the server has them and as they come; bounded as there.

const KEPT = 900;
let points = [];

export function load(all) {
  points = all.slice(-KEPT);
}

export function add(point) {
  if (point && (!points.length || point.at > points[points.length - 1].at)) {
    points.push(point);
    if (points.length > KEPT) points.shift();
  }
}

/** Those of the last so many seconds, and one more so that a curve begins at the edge. */
export function last(seconds, now) {
  const first = points.findIndex((point) => point.at >= now - seconds);
  return first < 0 ? [] : points.slice(Math.max(first - 1, 0));
}

export const newest = () => points[points.length - 1];
