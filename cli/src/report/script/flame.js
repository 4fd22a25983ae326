// A flame graph of causes: all latency, the families of causes, the causes, and the functions that had them.

import { causeColours, colour } from "./colours.js";
import { make, section, tableBehind } from "./dom.js";
import { count, length, share, words } from "./text.js";

const MOST_FUNCTIONS = 12;
// About how wide a letter is, in dots.
const LETTER = 7;

export function makeFlame(page) {
  const { store } = page;
  const place = make("div", { class: "flame", role: "group", "aria-label": "Causes, the widest of what took the longest" });
  const table = tableBehind("Causes, as a table", asTable);
  table.element.dataset.prints = "yes";
  const hint = make("p", { class: "hint" }, "Each box is as wide as the time that it is of. Choose one to see what is in it, and the one above to go back. By keys: arrows go to the boxes beside, above and below, Enter chooses.");
  const element = section("flame", "What latency is made of", hint, place, table.element);
  let root = null;
  // One of the boxes is reached by Tab, the others from it.
  place.addEventListener("keydown", (event) => {
    const line = event.target.parentElement, all = [...line.children], at = all.indexOf(event.target), center = (box) => box.offsetLeft + box.offsetWidth / 2;
    const nearest = (other) => [...(other?.children ?? [])].reduce((best, box) =>
      (!best || Math.abs(center(box) - center(event.target)) < Math.abs(center(best) - center(event.target)) ? box : best), null);
    const next = { ArrowLeft: () => all[at - 1], ArrowRight: () => all[at + 1], ArrowUp: () => nearest(line.previousElementSibling), ArrowDown: () => nearest(line.nextElementSibling) }[event.key]?.();
    if (!next) return;
    event.preventDefault();
    reach(next);
    next.focus();
  });

  function reach(box) {
    place.querySelectorAll("button").forEach((one) => { one.tabIndex = one === box ? 0 : -1; });
  }

  // The functions that had a cause, those that had most of it one by one.
  function boxesOfFunctions(functions, at, colour) {
    const box = (name, nanos, isRest) => ({ name, title: name, nanos, colour, note: "", isFunction: true, isRest, parts: [] });
    const all = functions.filter((one) => one.causes[at] > 0).sort((one, other) => other.causes[at] - one.causes[at]).map((one) => box(one.name, one.causes[at], false));
    const rest = all.slice(MOST_FUNCTIONS);
    return [...all.slice(0, MOST_FUNCTIONS), ...(rest.length > 0 ? [box(`${count(rest.length)} others`, rest.reduce((sum, { nanos }) => sum + nanos, 0), true)] : [])];
  }

  // The boxes of what is selected.
  function boxes(sums, functions) {
    const { run } = page, colours = causeColours(run.causes), families = new Map();
    run.causes.forEach((cause, at) => {
      if (sums.causes[at] <= 0) return;
      if (!families.has(cause.family)) {
        families.set(cause.family, { name: cause.family, title: words(cause.family), nanos: 0, colour: colour(cause.colour), note: "", parts: [] });
      }
      const family = families.get(cause.family);
      family.parts.push({ name: cause.name, title: cause.title, nanos: sums.causes[at], colour: colours[at], note: cause.note, having: sums.having[at], parts: boxesOfFunctions(functions, at, colours[at]) });
      family.nanos += sums.causes[at];
    });
    const parts = [...families.values()];
    const sorted = (list) => { list.sort((one, other) => Boolean(one.isRest) - Boolean(other.isRest) || other.nanos - one.nanos); list.forEach((one) => sorted(one.parts)); return list; };
    return { name: "", title: "all latency", nanos: sums.latency, colour: colour("idle"), note: "", parts: sorted(parts) };
  }

  function update(sums, functions) {
    root = boxes(sums, functions);
    draw();
    table.update();
  }

  function path() { return (store.get().flame || "").split("/").filter((name) => name !== ""); }

  function draw() {
    if (!root) return;
    // Those above what is chosen are as wide as the figure.
    const above = [root];
    for (const name of path()) {
      const next = above[above.length - 1].parts.find((part) => part.name === name && !part.isFunction);
      if (!next) break;
      above.push(next);
    }
    const focused = document.activeElement?.dataset?.path;
    const lines = above.map((box, depth) => [{ box, left: 0, width: 1, path: above.slice(1, depth + 1) }]);
    let line = lines[lines.length - 1];
    while (line.length > 0) {
      const next = [];
      for (const { box, left, path, width } of line) {
        let at = left;
        for (const part of box.parts) {
          const wide = box.nanos > 0 ? (width * part.nanos) / box.nanos : 0;
          if (wide > 0.002) next.push({ box: part, left: at, width: wide, path: [...path, part] });
          at += wide;
        }
      }
      if (next.length > 0) lines.push(next);
      line = next;
    }
    const letters = place.clientWidth / LETTER;
    place.replaceChildren(...lines.map((line) => make("div", { class: "flame-line" }, ...line.map((part) => button(part, part.width * letters)))));
    const all = [...place.querySelectorAll("button")], again = focused === undefined ? null : all.find((one) => one.dataset.path === focused);
    reach(again ?? all[0]);
    again?.focus();
  }

  function button({ box, left, width, path }, letters) {
    const address = path.filter((one) => !one.isFunction).map((one) => one.name).join("/");
    const part = root.nanos > 0 ? box.nanos / root.nanos : NaN;
    const told = `${box.title}: ${length(box.nanos)}, ${share(part)} of all latency${box.note ? `; ${box.note}` : ""}`;
    const element = make("button", {
      type: "button", class: "box", title: told, "aria-label": told, "data-path": path.map((one) => one.name).join("/"), "data-nanos": box.nanos,
      onclick: () => store.set(box.isFunction && !box.isRest ? { function: store.get().function === box.name ? null : box.name } : { flame: address || null }),
    }, make("span", {}, letters < 4 ? "" : `${box.title}${letters < box.title.length + 7 ? "" : ` ${share(part)}`}`));
    element.style.left = `${100 * left}%`;
    element.style.width = `${100 * width}%`;
    element.style.background = box.colour;
    element.style.color = readable(box.colour);
    return element;
  }

  function asTable() {
    const rows = root.parts.flatMap((family) => family.parts.map((cause) =>
      [`${cause.title} (${family.title}): ${cause.note}`, length(cause.nanos), share(cause.nanos / root.nanos), count(cause.having)]));
    return { caption: "Causes, by family", heads: ["cause", "time", "of all latency", "invocations that have it"], rows };
  }

  return { element, update, draw };
}

// Black or white, whichever stands out from a colour.
export function readable(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}
