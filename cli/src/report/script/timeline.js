// Nodes and containers over time: from far away what nodes were busy with on average, close by every span.

import { oncePerFrame, prepare } from "./axis.js";
import { colour, mixed } from "./colours.js";
import { announcer, make, section, tableBehind } from "./dom.js";
import { Occupancy, occupancyOfPage, occupancyOfSpans, spansOfInvocations, spansOfTimeline } from "./spans.js";
import { clock, length } from "./text.js";

const NODE = 26, CONTAINER = 14, BOTTOM = 24, MOST_HEIGHT = 520;

export function makeTimeline(page) {
  const { store, axis, run } = page;
  const phases = run.about.phases;
  const names = run.about.containers?.nodes ?? run.about.nodes;
  const hasTimeline = Boolean(run.about.containers);
  const canvas = make("canvas", {
    id: "timeline-canvas", tabindex: "0", role: "application", "aria-roledescription": "figure to zoom into", "aria-label": "Nodes and containers over time",
    "aria-describedby": "timeline-keys",
  });
  const told = make("p", { class: "told", id: "timeline-told" });
  const spoken = announcer();
  const keys = make("p", { id: "timeline-keys", class: "hint" },
    "Click the figure, and the wheel zooms; dragging moves, with Shift it selects a span; a double click shows all. By keys: + and − zoom, left and right move, up and down go to another row, Enter opens a node or reads the story of the first invocation shown in a container, 0 shows all.");
  const idle = phases.findIndex(({ name }) => name === "idle"), hasIdle = run.about.occupancy.series.some(([, phase]) => phase === idle);
  // Idle containers are many, and those at work would hardly be seen beside them.
  const withIdle = make("button", { type: "button", id: "with-idle", onclick: () => store.set({ idle: store.get().idle === null ? "shown" : null }) }, "Idle containers of nodes");
  const legend = make("ul", { class: "legend", "aria-label": "What containers do" }, ...phases.map(({ name, colour }) => {
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = `var(--${colour})`;
    return make("li", {}, swatch, name);
  }), hasIdle ? make("li", {}, withIdle) : null);
  const how = hasTimeline ? null : make("p", { class: "hint" }, "Rows within a node are invocations beside each other. For its containers, run with ", make("code", {}, "--timeline DIR/timeline.json"), ".");
  const table = tableBehind("Nodes, as a table", asTable);
  const element = section("timeline", "Nodes and containers", legend, how, canvas, told, keys, spoken.element, table.element);
  let occupancy = new Occupancy(1, names.length, phases.length), shownOf = null, spans = null, rows = [], top = 0, cursor = 0, drag = null, most = [];
  let selected = null;
  const draw = oncePerFrame(paint);

  async function load() {
    occupancy = await occupancyOfPage(run, names.length);
    layOut();
    await run.load();
    spans = hasTimeline ? await spansOfTimeline(run) : spansOfInvocations(run);
    filter();
    layOut();
  }

  // Other invocations than those that are selected are pale; what nodes did for the selected ones is counted anew.
  function filter() {
    if (!spans) return;
    const { function: name, node, start, outcome, cause } = store.get();
    selected = null;
    shownOf = null;
    if ([name, node, start, outcome, cause].some((value) => value !== null)) {
      selected = new Uint8Array(run.loaded);
      for (const row of page.base) selected[row] = 1;
      shownOf = occupancyOfSpans(spans, occupancy.width, names.length, phases.length, (span) => spans.row[span] >= 0 && selected[spans.row[span]] === 1);
    }
    table.update();
    draw();
  }

  // A row for each node that did something, and under one that is open its containers.
  function layOut() {
    const open = store.get().open, counted = phases.map((_, phase) => phase).filter(isShown);
    most = names.map((_, node) => occupancy.most(node, counted));
    withIdle.setAttribute("aria-pressed", String(store.get().idle !== null));
    const order = names.map((name, node) => [name, node]).filter(([, node]) => run.about.occupancy.series.some(([own]) => own === node));
    order.sort((one, other) => one[0].localeCompare(other[0], "en", { numeric: true }));
    rows = [];
    for (const [name, node] of order) {
      rows.push({ name, node, height: NODE, y: 0 });
      if (open === name && spans) {
        for (const container of spans.containers) if (container.node === node) rows.push({ name: `${name}, ${container.title}`, title: container.title, node, container, height: CONTAINER, y: 0 });
      }
    }
    let y = 0;
    for (const row of rows) { row.y = y; y += row.height; }
    top = Math.min(top, Math.max(0, y - height()));
    cursor = Math.min(cursor, Math.max(0, rows.length - 1));
    table.update();
    draw();
  }

  function isShown(phase) { return phase !== idle || store.get().idle !== null; }

  function total() { return rows.length === 0 ? NODE : rows[rows.length - 1].y + rows[rows.length - 1].height; }
  function height() { return Math.min(total(), MOST_HEIGHT); }

  function paint() {
    const shown = height(), { context, width } = prepare(canvas, shown + BOTTOM);
    axis.place(page.gutter(), width - page.gutter() - 12);
    axis.draw(context, 0, shown);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, shown);
    context.clip();
    rows.forEach((row, at) => {
      const y = row.y - top;
      if (y > shown || y + row.height < 0) return;
      context.fillStyle = colour(row.container ? "muted" : "ink");
      context.textAlign = "right";
      context.textBaseline = "middle";
      const text = row.container ? row.title : `${store.get().open === row.name ? "▾" : "▸"} ${row.name}`;
      context.fillText(text, axis.left - 6, y + row.height / 2, axis.left - 10);
      if (!row.container) { context.fillStyle = colour("grid"); context.fillRect(0, y, width, 1); }
      if (row.container) paintContainer(context, row, y);
      else paintNode(context, row, y);
      if (at === cursor && document.activeElement === canvas) {
        context.strokeStyle = colour("ink");
        context.strokeRect(0.5, y + 0.5, width - 1, row.height - 1);
      }
    });
    context.beginPath();
    context.rect(axis.left, 0, axis.width, shown);
    context.clip();
    page.drawSpan(context, 0, shown);
    context.restore();
  }

  // Containers of a node in each phase, stacked, in each dot of the screen.
  function sample(row) {
    const columns = Math.ceil(axis.width), values = phases.map(() => new Float64Array(columns)), each = (axis.to - axis.from) / axis.width;
    const source = shownOf ?? occupancy;
    if (spans && each < source.width / 4) {
      sampleSpans(row, values, each);
      return values;
    }
    phases.forEach((_, phase) => {
      let level = 0;
      while (source.width * 2 ** (level + 1) <= each) level++;
      const list = source.level(row.node, phase, level), wide = source.width * 2 ** level;
      if (!list) return;
      for (let x = 0; x < columns; x++) {
        const from = axis.from + x * each, to = from + each;
        let sum = 0;
        for (let bin = Math.floor(from / wide); bin * wide < to; bin++) {
          const value = list[bin];
          if (value) sum += value * (Math.min(to, (bin + 1) * wide) - Math.max(from, bin * wide));
        }
        values[phase][x] = sum / each;
      }
    });
    return values;
  }

  // The same from single spans, exactly.
  function sampleSpans(row, values, each) {
    for (const container of spans.containers) {
      if (container.node !== row.node) continue;
      const last = container.first + container.count;
      for (let span = spans.after(container, axis.from); span < last && spans.begin[span] < axis.to; span++) {
        if (selected && !(spans.row[span] >= 0 && selected[spans.row[span]])) continue;
        const list = values[spans.phase[span]], begin = (spans.begin[span] - axis.from) / each, end = (spans.end[span] - axis.from) / each;
        for (let x = Math.max(0, Math.floor(begin)); x < list.length && x < end; x++) list[x] += Math.min(end, x + 1) - Math.max(begin, x);
      }
    }
  }

  function paintNode(context, row, y) {
    const values = sample(row), scale = (row.height - 3) / Math.max(most[row.node], 1e-9), floor = y + row.height - 1;
    const bottom = new Float64Array(values[0].length);
    // What costs stands on the ground, what is idle above.
    for (const phase of [...phases.keys()].filter(isShown).sort((one, other) => (one === idle) - (other === idle))) {
      context.fillStyle = colour(phases[phase].colour);
      const list = values[phase];
      for (let x = 0; x < list.length; x++) {
        if (list[x] <= 0) continue;
        const tall = list[x] * scale;
        context.fillRect(axis.left + x, floor - bottom[x] - tall, 1, tall);
        bottom[x] += tall;
      }
    }
  }

  function paintContainer(context, row, y) {
    const { container } = row, last = container.first + container.count, each = (axis.to - axis.from) / axis.width;
    const colours = phases.map((phase) => colour(phase.colour)), pale = colours.map((one) => mixed(one, colour("ground"), 0.25));
    const chosen = page.chosenRow();
    for (let span = spans.after(container, axis.from); span < last && spans.begin[span] < axis.to;) {
      const from = Math.max(axis.left, axis.x(spans.begin[span])), to = Math.min(axis.left + axis.width, axis.x(spans.end[span])), of = spans.row[span];
      const isMeant = selected === null || (of >= 0 && selected[of] === 1);
      context.fillStyle = (isMeant ? colours : pale)[spans.phase[span]];
      context.fillRect(from, y + 1, Math.max(1, to - from), CONTAINER - 2);
      if (of >= 0 && of === chosen) {
        context.fillStyle = colour("ink");
        context.fillRect(from, y + CONTAINER - 3, Math.max(2, to - from), 2);
      }
      // What is thinner than a dot is drawn once for each dot.
      span = to - from < 1 ? Math.max(span + 1, spans.after(container, spans.begin[span] + each)) : span + 1;
    }
  }

  function rowAt(y) { return rows.findIndex((row) => y + top >= row.y && y + top < row.y + row.height); }

  function spanAt(row, date) {
    const near = ((axis.to - axis.from) / axis.width) * 2;
    for (const width of [0, near]) {
      const span = spans.after(row.container, date - width);
      if (span < row.container.first + row.container.count && spans.begin[span] <= date + width) return span;
    }
    return -1;
  }

  function describe(row, date) {
    if (!row) return "";
    if (row.container) {
      const span = spanAt(row, date);
      if (span < 0) return `${row.name}: nothing at ${clock(date)}`;
      const invocation = spans.row[span] >= 0 ? `, invocation ${run.invocation[spans.row[span]]}` : "";
      const name = (run.about.containers?.functions ?? run.about.functions)[spans.function[span]];
      return `${row.name}: ${phases[spans.phase[span]].name} of ${name}${invocation}, from ${clock(spans.begin[span], 1)} for ${length(spans.end[span] - spans.begin[span])}`;
    }
    const x = Math.min(Math.ceil(axis.width) - 1, Math.max(0, Math.floor(axis.x(date) - axis.left))), values = sample(row);
    const parts = phases.map((phase, at) => `${phase.name} ${+values[at][x].toFixed(3)}`);
    return `${row.name} at ${clock(date, axis.step() / 10)}, containers on average: ${parts.join(", ")}; the row is as high as ${+most[row.node].toFixed(3)}`;
  }

  function tell(row, date) {
    const text = describe(row, date);
    told.textContent = text;
    spoken.say(text);
  }

  function open(name) { store.set({ open: store.get().open === name ? null : name }); }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    drag = { x: event.offsetX, y: event.offsetY, from: axis.from, to: axis.to, top, date: axis.date(event.offsetX), isBrush: event.shiftKey, isMoved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) {
      tell(rows[rowAt(event.offsetY)], axis.date(event.offsetX));
      return;
    }
    drag.isMoved ||= Math.abs(event.offsetX - drag.x) > 2 || Math.abs(event.offsetY - drag.y) > 2;
    if (!drag.isMoved) return;
    if (drag.isBrush) { page.preview = [drag.date, axis.date(event.offsetX)]; page.redraw(); return; }
    const by = ((drag.x - event.offsetX) / axis.width) * (drag.to - drag.from);
    const from = Math.min(Math.max(0, drag.from + by), axis.end - (drag.to - drag.from));
    axis.show(from, from + drag.to - drag.from);
    top = Math.min(Math.max(0, drag.top + drag.y - event.offsetY), Math.max(0, total() - height()));
    page.viewed();
  });
  canvas.addEventListener("pointerup", (event) => {
    const { isBrush, isMoved, date } = drag ?? {};
    page.preview = null;
    drag = null;
    if (isBrush && isMoved) {
      const [from, to] = [date, axis.date(event.offsetX)].sort((one, other) => one - other).map(Math.round);
      if (to > from) store.set({ from: Math.max(0, from), to });
    } else if (isMoved === false) click(rowAt(event.offsetY), event.offsetX);
  });
  canvas.addEventListener("pointercancel", () => { drag = null; page.preview = null; page.redraw(); });
  canvas.addEventListener("dblclick", () => { axis.goHome(); page.viewed(); });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);

  function click(at, x) {
    const row = rows[at];
    if (!row) return;
    cursor = at;
    if (!row.container) { if (x < axis.left) open(row.name); else draw(); return; }
    const span = spanAt(row, axis.date(x));
    if (span >= 0 && spans.row[span] >= 0) store.set({ invocation: String(run.invocation[spans.row[span]]) });
    else draw();
  }

  canvas.addEventListener("keydown", (event) => {
    const row = rows[cursor];
    const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (by) {
      cursor = Math.min(rows.length - 1, Math.max(0, cursor + by));
      const now = rows[cursor];
      top = Math.max(now.y + now.height - height(), Math.min(top, now.y));
      tell(now, (axis.from + axis.to) / 2);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      axis.move(event.key === "ArrowLeft" ? -0.1 : 0.1);
      page.viewed();
    } else if (event.key === "Enter" && row) {
      if (!row.container) open(row.name);
      else {
        const last = row.container.first + row.container.count;
        let span = spans.after(row.container, axis.from);
        while (span < last && spans.row[span] < 0) span++;
        if (span < last && spans.begin[span] < axis.to) store.set({ invocation: String(run.invocation[spans.row[span]]) });
      }
    } else if (!page.zoomKey(event, (axis.from + axis.to) / 2)) return;
    event.preventDefault();
    draw();
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.shiftKey || total() <= height() || document.activeElement !== canvas) return;
    event.preventDefault();
    top = Math.min(Math.max(0, top + (event.deltaY || event.deltaX)), total() - height());
    draw();
  }, { passive: false });
  page.zoomWheel(canvas);

  function asTable() {
    const { from, to } = store.get().from === null ? axis : store.get(), source = shownOf ?? occupancy;
    const list = rows.filter((row) => !row.container);
    const mean = (node, phase) => source.mean(node, phase, from, to);
    return {
      caption: `Containers at a time on average, from ${clock(from)} to ${clock(to)}`, heads: ["node", ...phases.map((phase) => phase.name)],
      rows: list.map((row) => [row.name, ...phases.map((_, phase) => String(+mean(row.node, phase).toFixed(3)))]),
    };
  }

  // Where an invocation was, in the middle.
  function show(row) {
    const from = run.requested[row], to = run.finishedAt(row);
    const long = Math.max(to === to ? to - from : 1e9, 1e6);
    axis.show(from - long, from + 2 * long);
    const node = run.nodeOf(row);
    if (node !== null && store.get().open !== node) store.set({ open: node });
    const at = rows.findIndex((one) => one.container && containerHas(one.container, row));
    const found = at >= 0 ? at : rows.findIndex((one) => one.name === node);
    if (found >= 0) {
      cursor = found;
      top = Math.min(Math.max(0, rows[found].y - height() / 2), Math.max(0, total() - height()));
    }
    page.viewed();
    element.scrollIntoView({ block: "nearest" });
  }

  function containerHas(container, row) {
    const date = run.dates[2][row];
    if (!(date === date)) return false;
    const span = spans.after(container, date);
    return span < container.first + container.count && spans.row[span] === row;
  }

  return { element, load, filter, layOut, draw, show, updateTable: table.update, occupancyOf: (node) => sample({ node: names.indexOf(node) }) };
}
