// Tables that are sorted by their heads, searched, and gone through page by page.

import { make } from "./dom.js";
import { count } from "./text.js";

const PAGE = 25;

// `columns`: {key, title, isNumber, isName, value(row), show(row)}; `take(sort, isDescending)` gives the rows in order and says of how many they are.
export function makeGrid({ id, caption, columns, take, choose, chosen, search, sort, isDescending = true, label }) {
  let current = sort, descending = isDescending, page = 0, text = "";
  const field = search ? make("input", { type: "search", id: `${id}-search`, oninput: (event) => { text = event.target.value; page = 0; draw(); } }) : null;
  const heads = columns.map((column) => make("th", { scope: "col", class: column.isNumber ? "number" : null }, column.isPlain ? column.title : make("button", {
    type: "button", class: "sort", "data-sort": column.key,
    onclick: () => {
      [current, descending] = [column.key, column.key === current ? !descending : Boolean(column.isNumber)];
      page = 0;
      draw();
    },
  }, column.title)));
  const body = make("tbody");
  const told = make("p", { class: "pages", role: "status" });
  const previous = make("button", { type: "button", onclick: () => { page--; draw(); } }, "Previous");
  const next = make("button", { type: "button", onclick: () => { page++; draw(); } }, "Next");
  const table = make("table", { class: "grid", id: `${id}-table` }, make("caption", {}, caption), make("thead", {}, make("tr", {}, ...heads)), body);
  const element = make("div", { class: "grid-of" },
    search ? make("p", { class: "search" }, make("label", { for: `${id}-search` }, search), " ", field) : null,
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table),
    make("div", { class: "pager" }, previous, next, told));

  function draw() {
    const { rows, of } = take(current, descending, text.trim().toLowerCase());
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(Math.max(0, page), pages - 1);
    columns.forEach((column, at) => {
      if (!column.isPlain) heads[at].setAttribute("aria-sort", column.key === current ? (descending ? "descending" : "ascending") : "none");
    });
    const now = chosen?.();
    body.replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const name = label(row), isChosen = now !== null && now === name;
      const cells = columns.map((column, at) => {
        const shown = column.show(row);
        if (at > 0 && column.isName) return make("td", { class: "name", title: shown }, shown);
        if (at > 0) return make("td", { class: column.isNumber ? "number" : null, "data-value": column.isNumber ? column.value(row) : null }, shown);
        return make("th", { scope: "row", class: column.isNumber ? "number" : null }, make("button", {
          type: "button", class: "row", "data-row": name, "aria-pressed": String(isChosen), onclick: () => choose(row),
        }, shown));
      });
      return make("tr", { class: isChosen ? "chosen" : null, onclick: (event) => { if (!event.target.closest("button")) choose(row); } }, ...cells);
    }));
    previous.disabled = page === 0;
    next.disabled = page >= pages - 1;
    const last = Math.min(rows.length, (page + 1) * PAGE);
    told.textContent = rows.length === 0 ? "None." : `${count(page * PAGE + 1)} to ${count(last)} of ${count(rows.length)}${of > rows.length ? `, the first in this order of ${count(of)}` : ""}`;
  }

  return { element, draw, first() { page = 0; draw(); } };
}

// Rows in the order of a column.
export function ordered(rows, column, isDescending) {
  const sign = isDescending ? -1 : 1;
  const compare = column.isNumber
    ? (one, other) => {
      const [a, b] = [column.value(one), column.value(other)];
      return Number.isNaN(a) - Number.isNaN(b) || sign * (a - b) || 0;
    }
    : (one, other) => sign * String(column.value(one)).localeCompare(String(column.value(other)), "en", { numeric: true });
  return rows.slice().sort(compare);
}
