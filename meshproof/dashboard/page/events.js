// What happened to the mesh, newest first: each change, how long it took to be live, or why not.

import { at, breakable, h, say } from "./dom.js";
import { clock, ms } from "./format.js";

let newest = null;

export function showEvents(events) {
  const top = events[0]?.number ?? 0;
  if (newest !== null && top < newest) at("events").replaceChildren(); // another mesh
  if (top === newest) return;
  const known = newest !== null && top > newest ? newest : 0;
  const fresh = events.filter((event) => event.number > known);
  if (newest !== null) fresh.slice(0, 1).forEach(announce);
  if (!known) at("events").replaceChildren();
  at("events").prepend(...fresh.map(item));
  while (at("events").children.length > 60) at("events").lastChild.remove();
  newest = top;
}

const name = (event) => [event.verb, event.subject].filter(Boolean).join(" ");

function announce(event) {
  const became = event.error ? `refused: ${event.error.message}` : `live after ${ms(event.seconds * 1000)}`;
  say(at("said"), `${name(event)}: ${became}`);
}

function item(event) {
  return h("li", {},
    h("span", { class: "number" }, `#${event.number}`),
    h("span", { class: "what" }, h("span", { class: "verb" }, event.verb), " ", ...breakable(event.subject)),
    h("span", { class: "took" }, event.error ? h("span", { class: "pill wrong" }, event.error.error === "Refused" ? "✕ refused" : "✕ failed")
      : h("span", {}, ms(event.seconds * 1000))),
    h("span", { class: `more${event.error ? " wrong" : ""}` }, event.error ? event.error.message : more(event)));
}

function more(event) {
  const parts = [clock(event.at)];
  if (event.sidecars) parts.push(`live on ${event.sidecars} sidecars`);
  if (event.slowest) parts.push(`last ${event.slowest.sidecar}`);
  if (event.warnings.length) parts.push(`⚠ ${event.warnings.length} warning${event.warnings.length > 1 ? "s" : ""}`);
  return parts.join(" · ");
}
