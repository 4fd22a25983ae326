// The tables of functions and of invocations.

import { causeColours } from "./colours.js";
import { make, section } from "./dom.js";
import { makeGrid, ordered } from "./grid.js";
import { topRows } from "./select.js";
import { clock, count, length, share, words } from "./text.js";

// So many invocations are in the table, in the order that is asked for.
const MOST_ROWS = 1000;

// A bar of parts, as long as a value is of the greatest one.
export function bar(parts, colours, whole, titles) {
  const element = make("span", { class: "bar", "aria-hidden": "true" });
  parts.forEach((nanos, at) => {
    if (nanos <= 0 || whole <= 0) return;
    const piece = make("span", { title: titles[at] });
    piece.style.width = `${(100 * nanos) / whole}%`;
    piece.style.background = colours[at];
    element.append(piece);
  });
  return element;
}

export function makeFunctions(page) {
  const { store } = page;
  let functions = [], most = 0;
  const titles = () => page.run.causes.map((cause) => cause.title);
  const longest = (row) => {
    const at = row.causes.reduce((best, nanos, at) => (nanos > row.causes[best] ? at : best), 0);
    return page.run.causes.length > 0 && row.causes[at] > 0 ? page.run.causes[at].title : "";
  };
  const number = (key, title, value, show) => ({ key, title, isNumber: true, value, show: (row) => show(value(row)) });
  const columns = [
    { key: "function", title: "function", value: (row) => row.name, show: (row) => row.name },
    number("invocations", "invocations", (row) => row.count, count),
    number("cold", "cold", (row) => row.cold / row.count, share),
    number("mean", "mean latency", (row) => (row.timed > 0 ? row.latency / row.timed : NaN), length),
    number("p50", "median", (row) => row.p50, length),
    number("p99", "99 % within", (row) => row.p99, length),
    number("most", "greatest", (row) => row.most, length),
    number("latency", "latency in all", (row) => row.latency, length),
    ...(page.run.causes.length > 0 ? [
      { key: "cause", title: "most of it", value: longest, show: longest },
      { key: "bar", title: "by cause", isPlain: true, value: () => "", show: (row) => bar(row.causes, causeColours(page.run.causes), most, titles()) },
    ] : []),
  ];
  const grid = makeGrid({
    id: "functions", caption: "Functions of the selected invocations", columns, search: "Find a function:", sort: "latency",
    label: (row) => row.name, chosen: () => store.get().function,
    choose: (row) => store.set({ function: store.get().function === row.name ? null : row.name }),
    take(sort, isDescending, text) {
      const found = functions.filter((row) => text === "" || row.name.toLowerCase().includes(text));
      return { rows: ordered(found, columns.find((column) => column.key === sort), isDescending), of: found.length };
    },
  });
  const element = section("functions", "Functions", make("p", { class: "hint" }, "Choose a function to see it alone; choose it again to see all."), grid.element);
  return {
    element,
    draw: grid.draw,
    update(found) {
      functions = found;
      most = functions.reduce((most, row) => Math.max(most, row.latency), 0);
      grid.draw();
    },
  };
}

export function makeInvocations(page) {
  const { store } = page;
  const run = () => page.run;
  const nanos = (key, title, value, show) => ({ key, title, isNumber: true, value, show: (row) => show(value(row)) });
  const text = (key, title, value) => ({ key, title, value: (row) => value(row) ?? "", show: (row) => value(row) ?? "–" });
  const wait = (row) => run().dates[2][row] - run().requested[row];
  const longest = (row) => {
    const parts = run().partsOf(row);
    return parts.length === 0 ? null : run().causes[parts.reduce((best, part) => (part[1] > best[1] ? part : best))[0]].title;
  };
  const titles = () => run().causes.map((cause) => cause.title);
  let most = 1;
  const columns = [
    { key: "invocation", title: "invocation", isNumber: true, value: (row) => run().invocation[row], show: (row) => String(run().invocation[row]) },
    nanos("latency", "latency", (row) => run().latency[row], length),
    nanos("requested", "requested at", (row) => run().requested[row], (value) => clock(value)),
    { ...text("function", "function", (row) => run().functionOf(row)), isName: true },
    { ...text("node", "node", (row) => run().nodeOf(row)), isName: true },
    text("start", "start", (row) => run().startOf(row)),
    text("outcome", "outcome", (row) => words(run().outcomeOf(row))),
    nanos("waiting", "until its body began", wait, length),
    ...(page.run.causes.length > 0 ? [
      { ...text("cause", "most of it", longest), isPlain: true },
      {
        key: "bar", title: "by cause", isPlain: true, value: () => "",
        show: (row) => {
          const parts = new Array(run().causes.length).fill(0);
          run().partsOf(row).forEach(([cause, nanos]) => { parts[cause] = nanos; });
          return bar(parts, causeColours(run().causes), most, titles());
        },
      },
    ] : []),
  ];
  const rank = (names) => {
    const order = names.map((name, at) => [String(name), at]).sort((one, other) => one[0].localeCompare(other[0], "en", { numeric: true }));
    const ranks = new Float64Array(names.length);
    order.forEach(([, at], place) => { ranks[at] = place; });
    return ranks;
  };
  // Texts are ordered by their places among all.
  const ordering = {
    function: () => { const ranks = rank(run().about.functions); return (row) => ranks[run().function[row]]; },
    node: () => { const ranks = rank(run().about.nodes); return (row) => (run().node[row] < 0 ? NaN : ranks[run().node[row]]); },
    start: () => { const ranks = rank(run().kinds.map((kind) => kind.start ?? "")); return (row) => ranks[run().kind[row]]; },
    outcome: () => { const ranks = rank(run().kinds.map((kind) => kind.outcome)); return (row) => ranks[run().kind[row]]; },
  };
  const grid = makeGrid({
    id: "invocations", caption: "Selected invocations", columns, sort: "latency", label: (row) => String(run().invocation[row]),
    chosen: () => store.get().invocation, choose: (row) => store.set({ invocation: String(run().invocation[row]) }),
    take(sort, isDescending) {
      const value = ordering[sort]?.() ?? columns.find((column) => column.key === sort).value;
      const rows = run().isWhole ? topRows(page.rows, value, MOST_ROWS, isDescending) : [];
      most = rows.reduce((most, row) => Math.max(most, run().latency[row] || 0), 0);
      return { rows, of: run().isWhole ? page.rows.length : 0 };
    },
  });
  const element = section("invocations", "Invocations", make("p", { class: "hint" }, "Choose one to read its story."), grid.element);
  return { element, draw: grid.draw, update: grid.first };
}
