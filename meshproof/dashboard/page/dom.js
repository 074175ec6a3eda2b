// Creates elements without templates: text is always text, so a mesh's message is never markup.

/** h("td", {class: "n"}, "12", child, ...): an element. Null children are left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(element.style, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A table row. Each cell carries its column's name, for narrow screens. */
export function row(labels, cells) {
  return h("tr", {}, ...cells.map(([text, kind], index) =>
    h("td", { class: kind || null, "data-label": labels[index] }, text)));
}

/** Text that wraps after / and _ only. */
export function breakable(text) {
  return text.split(/(?<=[/_])/).flatMap((part) => [part, h("wbr")]);
}

/** Sets an element's text only if it differs: a screen reader would read it again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
