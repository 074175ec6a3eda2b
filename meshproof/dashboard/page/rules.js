// Applies, deletes and resets; shows the outcome with the mesh's own message.

import { get, post } from "./api.js";
import { byId, h } from "./dom.js";
import { ms } from "./format.js";

const selectedFile = () => document.querySelector("#files input:checked")?.value;
const CONFIRM_TIME = 4000; // milliseconds in which a reset can be confirmed
const BUTTONS = ["do-apply", "do-delete", "do-reset"];

export async function startRules() {
  byId("apply").addEventListener("submit", (event) => {
    event.preventDefault();
    change("apply", `${selectedFile()} is live`);
  });
  byId("do-delete").addEventListener("click", () => change("delete", `${selectedFile()} is deleted`));
  byId("do-reset").addEventListener("click", reset);
  const { folder, files } = await get("/api/rules");
  byId("folder").textContent = folder.split("/").pop();
  byId("files").replaceChildren(...files.map(fileOption));
  if (!files.length) byId("files").replaceChildren(h("p", { class: "notice" }, `No rule files in ${folder}.`));
  for (const id of ["do-apply", "do-delete"]) byId(id).disabled = !files.length;
  if (files.length) await preview();
}

function fileOption(file, index) {
  const input = h("input", { type: "radio", name: "file", value: file.name, checked: index === 0, onchange: preview });
  return h("label", { class: "file" }, input,
    h("span", {}, h("span", { class: "name" }, file.name), h("span", { class: "comment" }, file.comment)));
}

async function preview() {
  const { text } = await get("/api/rule", { name: selectedFile() });
  byId("yaml").querySelector("pre").textContent = text;
}

/** Undoes all changes, so it has to be confirmed. */
function reset() {
  const button = byId("do-reset");
  const label = button.textContent;
  if (button.dataset.confirming) {
    change("reset", "The mesh is back to its initial state");
    return;
  }
  button.dataset.confirming = "1";
  button.textContent = "Press again to reset";
  setTimeout(() => {
    delete button.dataset.confirming;
    button.textContent = label;
  }, CONFIRM_TIME);
}

async function change(verb, success) {
  const active = document.activeElement;
  BUTTONS.forEach((id) => byId(id).setAttribute("aria-disabled", "true"));
  try {
    const applied = await post(`/api/${verb}`, verb === "reset" ? {} : { name: selectedFile() });
    show("good", `✓ ${success}`, summarize(applied));
  } catch (error) {
    const refused = error.kind === "Refused";
    show("wrong", refused ? "✕ Refused; the mesh is unchanged" : "✕ Failed", error.message);
  }
  BUTTONS.forEach((id) => byId(id).removeAttribute("aria-disabled"));
  active?.focus();
}

function summarize(applied) {
  const sidecars = new Set(applied.acks.map((ack) => ack.sidecar)).size;
  const warnings = applied.warnings.map((w) => `⚠ ${w.file}:${w.line}: ${[w.resource, w.field, w.found].filter(Boolean).join(": ")}`);
  return [...applied.resources, `after ${ms(applied.seconds * 1000)} on ${sidecars} sidecars`, ...warnings].join("\n");
}

function show(kind, title, text) {
  byId("outcome").replaceChildren(h("div", { class: `outcome ${kind}` }, h("b", {}, title), text));
}
