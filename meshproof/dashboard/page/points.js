// The points of the curves: the server's history, then one per view; the same bound as there.

const CAPACITY = 900;
let points = [];

export function load(all) {
  points = all.slice(-CAPACITY);
}

export function add(point) {
  if (point && (!points.length || point.at > points[points.length - 1].at)) {
    points.push(point);
    if (points.length > CAPACITY) points.shift();
  }
}

/** The points of the last seconds, and one more, so that a curve begins at the edge. */
export function last(seconds, now) {
  const first = points.findIndex((point) => point.at >= now - seconds);
  return first < 0 ? [] : points.slice(Math.max(first - 1, 0));
}

export const newest = () => points[points.length - 1];
