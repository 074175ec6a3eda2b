// Applies, deletes and resets; says what became of it, in the mesh's own words.

import { get, post } from "./api.js";
import { at, h } from "./dom.js";
import { ms } from "./format.js";

const chosen = () => document.querySelector("#files input:checked")?.value;
const SURE = 4000; // milliseconds in which a reset can be confirmed
const BUTTONS = ["do-apply", "do-delete", "do-reset"];

export async function startRules() {
  at("apply").addEventListener("submit", (event) => {
    event.preventDefault();
    change("apply", `${chosen()} is live`);
  });
  at("do-delete").addEventListener("click", () => change("delete", `${chosen()} is deleted`));
  at("do-reset").addEventListener("click", reset);
  const { folder, files } = await get("/api/rules");
  at("folder").textContent = folder.split("/").pop();
  at("files").replaceChildren(...files.map(choice));
  if (!files.length) at("files").replaceChildren(h("p", { class: "notice" }, `No rule files in ${folder}.`));
  for (const id of ["do-apply", "do-delete"]) at(id).disabled = !files.length;
  if (files.length) await preview();
}

function choice(file, index) {
  const input = h("input", { type: "radio", name: "file", value: file.name, checked: index === 0, onchange: preview });
  return h("label", { class: "file" }, input,
    h("span", {}, h("span", { class: "name" }, file.name), h("span", { class: "says" }, file.says)));
}

async function preview() {
  const { text } = await get("/api/rule", { name: chosen() });
  at("yaml").querySelector("pre").textContent = text;
}

/** Takes all changes back, so it is asked for twice. */
function reset() {
  const button = at("do-reset");
  const asked = button.textContent;
  if (button.dataset.sure) {
    change("reset", "The mesh is as it came up");
    return;
  }
  button.dataset.sure = "1";
  button.textContent = "Press again to reset";
  setTimeout(() => {
    delete button.dataset.sure;
    button.textContent = asked;
  }, SURE);
}

async function change(verb, done) {
  const active = document.activeElement;
  BUTTONS.forEach((id) => at(id).setAttribute("aria-disabled", "true"));
  try {
    const applied = await post(`/api/${verb}`, verb === "reset" ? {} : { name: chosen() });
    show("good", `✓ ${done}`, said(applied));
  } catch (error) {
    const refused = error.kind === "Refused";
    show("wrong", refused ? "✕ Refused; the mesh stays as it was" : "✕ Failed", error.message);
  }
  BUTTONS.forEach((id) => at(id).removeAttribute("aria-disabled"));
  active?.focus();
}

function said(applied) {
  const sidecars = new Set(applied.acks.map((ack) => ack.sidecar)).size;
  const warnings = applied.warnings.map((w) => `⚠ ${w.file}:${w.line}: ${[w.resource, w.field, w.found].filter(Boolean).join(": ")}`);
  return [...applied.resources, `after ${ms(applied.seconds * 1000)} on ${sidecars} sidecars`, ...warnings].join("\n");
}

function show(kind, title, text) {
  at("outcome").replaceChildren(h("div", { class: `outcome ${kind}` }, h("b", {}, title), text));
}
