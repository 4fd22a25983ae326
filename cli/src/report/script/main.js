// Puts the page together, and keeps it together.

import { Axis } from "./axis.js";
import { colour, forgetColours } from "./colours.js";
import { makeCompare } from "./compare.js";
import { make } from "./dom.js";
import { FILTERS, makeFilters } from "./filters.js";
import { makeFlame } from "./flame.js";
import { makeOverTime } from "./over_time.js";
import { Run } from "./run.js";
import { byFunction, latencies, matching, summed, within } from "./select.js";
import { makeSortable } from "./sortable.js";
import { makeStore } from "./store.js";
import { makeStory } from "./story.js";
import { makeFunctions, makeInvocations } from "./tables.js";
import { makeTheme } from "./theme.js";
import { makeTimeline } from "./timeline.js";

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
    const sums = summed(run, page.rows), found = byFunction(run, page.rows);
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
    story.update(false);
    document.documentElement.dataset.ready = "yes";
  });
  timeline?.load().then(() => { document.documentElement.dataset.timeline = "yes"; });
  return page;
}

start();
