// As the system says, unless the button said otherwise; remembered in this browser.

import { at, h } from "./dom.js";

const KEY = "meshproof-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const NAMES = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const listeners = [];

let chosen = localStorage.getItem(KEY) || "auto";

function show() {
  const theme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  root.dataset.theme = theme;
  const [sign, name] = NAMES[chosen].split(" ");
  at("theme").replaceChildren(sign, h("span", {}, ` ${name}`));
  at("theme").setAttribute("aria-label", `Theme: ${chosen}. Press for ${NEXT[chosen]}`);
  listeners.forEach((listener) => listener());
}

export const onTheme = (listener) => listeners.push(listener);
export const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

export function startTheme() {
  at("theme").addEventListener("click", () => {
    chosen = NEXT[chosen];
    localStorage.setItem(KEY, chosen);
    show();
  });
  dark.addEventListener("change", show);
  show();
}
