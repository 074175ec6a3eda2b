// Follows the system's theme unless the button chose one; remembered in this browser.

import { byId, h } from "./dom.js";

const KEY = "meshproof-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const NAMES = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const listeners = [];

let setting = localStorage.getItem(KEY) || "auto";

function show() {
  const theme = setting === "auto" ? (dark.matches ? "dark" : "light") : setting;
  root.dataset.theme = theme;
  const [sign, name] = NAMES[setting].split(" ");
  byId("theme").replaceChildren(sign, h("span", {}, ` ${name}`));
  byId("theme").setAttribute("aria-label", `Theme: ${setting}. Press for ${NEXT[setting]}`);
  listeners.forEach((listener) => listener());
}

export const onTheme = (listener) => listeners.push(listener);
export const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

export function startTheme() {
  byId("theme").addEventListener("click", () => {
    setting = NEXT[setting];
    localStorage.setItem(KEY, setting);
    show();
  });
  dark.addEventListener("change", show);
  show();
}
