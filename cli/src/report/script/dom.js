// Makes elements. Texts are set as texts: whatever a name contains, it is never read as HTML.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A part of the page with a heading, that screen readers list.
export function section(id, title, ...children) {
  return make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);
}

// A table behind a figure, made when somebody opens it; `fill` gives captions, heads and rows, and is asked again by `update`.
export function tableBehind(title, fill) {
  const place = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title });
  const details = make("details", { class: "behind" }, make("summary", {}, title), place);
  function update() {
    if (!details.open) return;
    const { caption, heads, rows } = fill();
    const head = make("tr", {}, ...heads.map((head, at) => make("th", { scope: "col", class: at ? "number" : null }, head)));
    const line = (cells) => make("tr", {}, ...cells.map((cell, at) =>
      at ? make("td", { class: "number" }, cell) : make("th", { scope: "row" }, cell)));
    place.replaceChildren(make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...rows.map(line))));
  }
  details.addEventListener("toggle", update);
  addEventListener("beforeprint", () => { if (details.dataset.prints) { details.open = true; update(); } });
  return { element: details, update };
}

// Says something to screen readers when it has settled.
export function announcer() {
  const element = make("p", { class: "visually-hidden", role: "status" });
  let timer = 0;
  return { element, say(text) { clearTimeout(timer); timer = setTimeout(() => { element.textContent = text; }, 400); } };
}
