// Sorts and searches tables that stand in the page, by their heads.

import { make } from "./dom.js";

function valueOf(row, column) {
  const cell = row.cells[column];
  if (!cell?.classList.contains("number")) return cell?.textContent ?? "";
  // What has no value comes last in either order.
  return cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
}

// The script may be read before the tables are.
export function makeSortable() {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", sortAll, { once: true });
  else sortAll();
}

function sortAll() {
  document.querySelectorAll("table.sortable").forEach((table, number) => {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], original = [...body.rows];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const isDescending = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? (isDescending ? "descending" : "ascending") : "none"));
        const sign = isDescending ? -1 : 1;
        const rows = [...body.rows].sort((one, other) => {
          const [a, b] = [valueOf(one, column), valueOf(other, column)];
          if (typeof a === "number") return Number.isNaN(a) - Number.isNaN(b) || sign * (a - b) || 0;
          return sign * a.localeCompare(b, "en", { numeric: true });
        });
        body.append(...rows);
      });
    });
    const field = make("input", { type: "search", id: `find-${number}` });
    field.addEventListener("input", () => {
      const text = field.value.trim().toLowerCase();
      original.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(text); });
    });
    table.parentElement.before(make("p", { class: "search" }, make("label", { for: field.id }, "Find:", make("span", { class: "visually-hidden" }, ` in ${table.caption.textContent}`)), " ", field));
  });
}
