// Puts the page together, and keeps it together.

import { Axis } from "./axis.js";
import { colour, forgetColours } from "./colours.js";
import { makeCompare } from "./compare.js";
import { make } from "./dom.js";
import { makeFlame } from "./flame.js";
import { makeOverTime } from "./over_time.js";
import { Run } from "./run.js";
import { byFunction, latencies, matching, quantile, summed, within } from "./select.js";
import { makeSortable } from "./sortable.js";
import { makeStore } from "./store.js";
import { makeStory } from "./story.js";
import { makeFunctions, makeInvocations } from "./tables.js";
import { clock, count, length, parseDate, share, words } from "./text.js";
import { makeTheme } from "./theme.js";
import { makeTimeline } from "./timeline.js";

const FILTERS = ["function", "node", "start", "outcome", "cause"];

function start() {
  const store = makeStore();
  makeTheme(store);
  makeSortable();
  const place = document.getElementById("explore"), about = document.getElementById("about");
  if (!place || !about) return;
  const runs = JSON.parse(about.textContent).runs.map((about, number) => new Run(number, about));
  const choice = runs.length > 1 ? chooseRun(runs, store) : null;
  let shown = null;
  function show() {
    const named = runs.findIndex((run) => run.about.label === store.get().run);
    const number = Math.max(0, named);
    if (number === shown) return;
    shown = number;
    if (choice) choice.value = String(number);
    page?.leave();
    page = makePage(place, runs, number, store);
  }
  let page = null;
  store.listen((state, changed) => { if (changed.has("run")) show(); else page?.changed(changed); });
  show();
}

function chooseRun(runs, store) {
  const choice = make("select", { id: "run-choice", onchange: () => store.set({ run: runs[+choice.value].about.label, left: null, right: null, open: null, invocation: null, flame: null }) },
    ...runs.map((run, number) => make("option", { value: number }, run.about.label)));
  document.getElementById("tools").prepend(make("label", { for: "run-choice" }, "Run:"), choice);
  return choice;
}

function makePage(place, runs, number, store) {
  const run = runs[number], axis = new Axis(run.about.end, run.about.busy);
  if (store.get().left !== null) axis.show(store.get().left, store.get().right);
  let isLeft = false, viewTimer = 0;
  const page = {
    run, runs, store, axis, base: new Uint32Array(0), rows: new Uint32Array(0), preview: null,
    gutter: () => (innerWidth < 600 ? 76 : 132),
    chosenRow: () => (store.get().invocation === null || !run.isWhole ? -1 : run.rowOf(Number(store.get().invocation))),
    // The span that is selected, or is being selected.
    drawSpan(context, top, bottom) {
      const { from, to } = store.get(), span = page.preview ?? (from === null ? null : [from, to]);
      if (!span) return;
      const [left, right] = span.map((date) => axis.x(date)).sort((one, other) => one - other);
      context.fillStyle = colour("ground");
      context.globalAlpha = 0.6;
      context.fillRect(axis.left, top, Math.max(0, left - axis.left), bottom - top);
      context.fillRect(right, top, Math.max(0, axis.left + axis.width - right), bottom - top);
      context.globalAlpha = 1;
      context.fillStyle = colour("ink");
      context.fillRect(left, top, 1, bottom - top);
      context.fillRect(right - 1, top, 1, bottom - top);
    },
    redraw() { overTime.draw(); timeline?.draw(); },
    // The axis shows something else now.
    viewed() {
      overTime.zoomed();
      timeline?.draw();
      clearTimeout(viewTimer);
      viewTimer = setTimeout(() => {
        store.set(axis.isHome() ? { left: null, right: null } : { left: Math.round(axis.from), right: Math.round(axis.to) });
        timeline?.updateTable();
      }, 200);
    },
    zoomKey(event, date) {
      if (event.key === "+" || event.key === "=") axis.zoom(0.7, date);
      else if (event.key === "-" || event.key === "−") axis.zoom(1 / 0.7, date);
      else if (event.key === "0") axis.goHome();
      else if (event.key === "Escape") { store.set({ from: null, to: null }); return true; } else return false;
      page.viewed();
      return true;
    },
    // The wheel zooms where somebody is at work, and else moves the page on.
    zoomWheel(canvas) {
      canvas.addEventListener("wheel", (event) => {
        if (event.shiftKey || !(event.ctrlKey || document.activeElement === canvas)) return;
        event.preventDefault();
        axis.zoom(Math.exp(Math.min(1, Math.max(-1, event.deltaY / 300))), axis.date(event.offsetX));
        page.viewed();
      }, { passive: false });
    },
    showRow: (row) => timeline?.show(row),
    changed,
    leave() { isLeft = true; },
  };
  const bar = makeFilters(page);
  const overTime = makeOverTime(page), timeline = run.about.occupancy.series.length > 0 ? makeTimeline(page) : null;
  const hasCauses = run.causes.length > 0, flame = hasCauses ? makeFlame(page) : null;
  const functions = makeFunctions(page), invocations = makeInvocations(page), story = makeStory(page);
  const compare = runs.length > 1 ? makeCompare(page) : null;
  const missing = hasCauses ? null : make("p", { class: "hint", id: "no-causes" }, "This run does not say what its latencies are made of. Run it again with ", make("code", {}, "--explain"), " to see causes here.");
  place.replaceChildren(...[bar.element, missing, compare, overTime, flame, timeline, functions, invocations, story].filter(Boolean).map((part) => part.element ?? part));
  overTime.count();

  function select() {
    const { from, to } = store.get();
    page.rows = within(run, page.base, from, to);
  }

  // Everything that is of the selected invocations.
  function summarize() {
    const sums = summed(run, page.rows), { functions: found } = byFunction(run, page.rows);
    bar.update(sums, latencies(run, page.rows));
    flame?.update(sums, found);
    functions.update(found);
    invocations.update();
    compare?.update();
  }

  function changed(names) {
    if (names.has("left") || names.has("right")) {
      const { left, right } = store.get(), isSame = left === null ? axis.isHome() : Math.round(axis.from) === left && Math.round(axis.to) === right;
      if (!isSame) {
        if (left === null) axis.goHome(); else axis.show(left, right);
        page.viewed();
      }
    }
    if (names.has("theme")) { forgetColours(); recoloured(); }
    if (names.has("measure")) overTime.count();
    if (names.has("open") || names.has("idle")) timeline?.layOut();
    if (names.has("flame")) flame?.draw();
    if (!run.isWhole) return;
    const isFiltered = FILTERS.some((name) => names.has(name)), isMoved = names.has("from") || names.has("to");
    if (isFiltered) {
      page.base = matching(run, store.get());
      overTime.count();
    }
    if (isFiltered || isMoved) {
      select();
      summarize();
      if (isFiltered) timeline?.filter();
      timeline?.updateTable();
      page.redraw();
    }
    if (names.has("invocation")) {
      story.update(true);
      invocations.draw();
      timeline?.draw();
    }
  }

  function recoloured() {
    overTime.count();
    flame?.draw();
    timeline?.draw();
    if (run.isWhole) { flame && summarize(); story.update(false); }
  }

  const resized = () => { if (!isLeft) page.redraw(); };
  addEventListener("resize", resized);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", () => { if (!isLeft) { forgetColours(); recoloured(); } });
  addEventListener("beforeprint", resized);

  run.load((part) => bar.reading(part)).then(() => {
    if (isLeft) return;
    page.base = matching(run, store.get());
    select();
    overTime.count();
    summarize();
    story.update(store.get().invocation !== null && false);
    document.documentElement.dataset.ready = "yes";
  });
  timeline?.load().then(() => { document.documentElement.dataset.timeline = "yes"; });
  return page;
}

// What everything is filtered by, and what that comes to.
function makeFilters(page) {
  const { store, run } = page, { about } = run;
  const names = { function: about.functions, node: about.nodes, start: null, outcome: null, cause: run.causes.map((cause) => cause.name) };
  names.start = [...new Set(run.kinds.map((kind) => kind.start).filter((start) => start !== null))];
  names.outcome = [...new Set(run.kinds.map((kind) => kind.outcome))];
  const titles = { start: "start", outcome: "outcome", cause: "with the cause", node: "node", function: "function" };
  const titleOf = (name, value) => (name === "cause" ? run.causes.find((cause) => cause.name === value).title : name === "start" || name === "outcome" ? words(value) : value);
  const fields = FILTERS.filter((name) => names[name].length > 1).map((name) => {
    const field = make("select", { id: `filter-${name}`, onchange: () => store.set({ [name]: field.value === "" ? null : field.value.slice(1) }) },
      make("option", { value: "" }, "all"),
      ...[...names[name]].sort((one, other) => one.localeCompare(other, "en", { numeric: true })).map((value) => make("option", { value: `=${value}` }, titleOf(name, value))));
    return { name, field };
  });
  const dates = ["from", "to"].map((name) => make("input", { type: "text", id: `span-${name}`, size: "13", placeholder: name === "from" ? "begin" : "end", spellcheck: "false", autocomplete: "off" }));
  const problem = make("span", { class: "problem", role: "alert" });
  function asked(event) {
    event.preventDefault();
    const [from, to] = dates.map((field, at) => (field.value.trim() === "" ? (at === 0 ? 0 : Math.ceil(about.end) + 1) : parseDate(field.value)));
    if (dates.every((field) => field.value.trim() === "")) { problem.textContent = ""; store.set({ from: null, to: null }); return; }
    const isGood = from !== null && to !== null && from < to;
    problem.textContent = isGood ? "" : "Write dates as seconds, or as h:mm:ss.sss, the first before the second.";
    if (isGood) store.set({ from, to });
  }
  const clear = make("button", { type: "button", onclick: () => store.set({ from: null, to: null, ...Object.fromEntries(FILTERS.map((name) => [name, null])) }) }, "Select all");
  const zoom = make("button", { type: "button", onclick: () => { const { from, to } = store.get(); if (from !== null) { page.axis.show(from, to); page.viewed(); } } }, "Zoom to it");
  const form = make("form", { class: "filters", "aria-label": "Which invocations are shown", onsubmit: asked },
    make("span", { class: "field" }, make("label", { for: "span-from" }, "requested from"), dates[0]),
    make("span", { class: "field" }, make("label", { for: "span-to" }, "to"), dates[1]),
    make("button", { type: "submit" }, "Apply"), zoom,
    ...fields.map(({ name, field }) => make("span", { class: "field" }, make("label", { for: field.id }, titles[name]), field)), clear, problem);
  const numbers = make("dl", { class: "numbers", id: "numbers" });
  const status = make("p", { role: "status", class: "reading" }, "Reading…");
  // What is not on the page, though it was in the run.
  const left = [
    about.sample < 1 ? `The run wrote a sample of ${share(about.sample)} of its invocations.` : "",
    about.every > 1 ? `One of ${about.every} of the ${count(about.invocations)} invocations that the run wrote is on the page.` : "",
    about.unrequested > 0 ? `${count(about.unrequested)} were never requested, and are not on the page.` : "",
  ].filter((text) => text !== "");
  const sampled = left.length > 0 ? make("p", { class: "hint" }, left.join(" "), about.every > 1 || about.sample < 1 ? " What nodes were busy with is of all, as far as their timeline or the table has them." : "") : null;
  const element = make("div", { id: "selection" }, form, status, numbers, sampled);

  function fill() {
    const state = store.get();
    for (const { name, field } of fields) field.value = state[name] === null ? "" : `=${state[name]}`;
    dates[0].value = state.from === null ? "" : clock(state.from, 1).replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros.replace(/0+$/, "")));
    dates[1].value = state.to === null ? "" : clock(state.to, 1).replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros.replace(/0+$/, "")));
    zoom.disabled = state.from === null;
    clear.disabled = state.from === null && FILTERS.every((name) => state[name] === null);
  }

  return {
    element,
    reading(part) { if (part < 1) status.textContent = `Reading… ${Math.floor(100 * part)} %`; },
    update(sums, sorted) {
      fill();
      const mean = sums.timed > 0 ? sums.latency / sums.timed : NaN;
      status.textContent = `${count(sums.count)} of ${count(run.loaded)} invocations are selected, however they ended.`;
      const list = [["invocations", sums.count, count(sums.count)], ["cold starts", sums.cold / sums.count, share(sums.cold / sums.count)], ["mean latency", mean, length(mean)],
        ...[["median", 0.5], ["90 % within", 0.9], ["99 % within", 0.99], ["greatest", 1]].map(([title, part]) => [title, quantile(sorted, part), length(quantile(sorted, part))])];
      numbers.replaceChildren(...list.map(([title, value, text]) => make("div", {}, make("dt", {}, title), make("dd", { "data-value": value, "data-key": title }, text))));
    },
  };
}

start();
