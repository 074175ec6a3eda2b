// The changes of the mesh, newest first: how long each took to be live, or why it failed.

import { breakable, byId, h, setText } from "./dom.js";
import { clock, ms } from "./format.js";

let newest = null;

export function showEvents(events) {
  const top = events[0]?.number ?? 0;
  if (newest !== null && top < newest) byId("events").replaceChildren(); // another mesh
  if (top === newest) return;
  const last = newest !== null && top > newest ? newest : 0;
  const added = events.filter((event) => event.number > last);
  if (newest !== null) added.slice(0, 1).forEach(announce);
  if (!last) byId("events").replaceChildren();
  byId("events").prepend(...added.map(item));
  while (byId("events").children.length > 60) byId("events").lastChild.remove();
  newest = top;
}

const name = (event) => [event.verb, event.subject].filter(Boolean).join(" ");

function announce(event) {
  const outcome = event.error ? `refused: ${event.error.message}` : `live after ${ms(event.seconds * 1000)}`;
  setText(byId("announcement"), `${name(event)}: ${outcome}`);
}

function item(event) {
  return h("li", {},
    h("span", { class: "number" }, `#${event.number}`),
    h("span", { class: "change" }, h("span", { class: "verb" }, event.verb), " ", ...breakable(event.subject)),
    h("span", { class: "duration" }, event.error ? h("span", { class: "pill wrong" }, event.error.error === "Refused" ? "✕ refused" : "✕ failed")
      : h("span", {}, ms(event.seconds * 1000))),
    h("span", { class: `details${event.error ? " wrong" : ""}` }, event.error ? event.error.message : details(event)));
}

function details(event) {
  const parts = [clock(event.at)];
  if (event.sidecars) parts.push(`live on ${event.sidecars} sidecars`);
  if (event.slowest) parts.push(`last ${event.slowest.sidecar}`);
  if (event.warnings.length) parts.push(`⚠ ${event.warnings.length} warning${event.warnings.length > 1 ? "s" : ""}`);
  return parts.join(" · ");
}
