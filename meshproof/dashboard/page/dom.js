// Elements without templates: text goes in as text, so nothing that a mesh says is ever markup.

/** h("td", {class: "n"}, "12", child, ...): an element; a null child is left out. */
export function h(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(made.style, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const at = (id) => document.getElementById(id);

/** Cells of a row, each with its column's name for narrow screens. */
export function row(labels, cells) {
  return h("tr", {}, ...cells.map(([text, kind], index) =>
    h("td", { class: kind || null, "data-label": labels[index] }, text)));
}

/** Text that may break after / and _ rather than anywhere. */
export function breakable(text) {
  return text.split(/(?<=[/_])/).flatMap((part) => [part, h("wbr")]);
}

/** Change an element's text only where it is another one: else a reader would read it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
