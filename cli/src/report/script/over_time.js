// Latency by cause over time: stacked, to be zoomed, and brushed for the span that everything is filtered by.

import { oncePerFrame, prepare } from "./axis.js";
import { causeColours, colour } from "./colours.js";
import { announcer, make, section, tableBehind } from "./dom.js";
import { overTime, overviewOf } from "./select.js";
import { clock, count, length } from "./text.js";

const HEIGHT = 220, BOTTOM = 24, TOP = 18;

export function makeOverTime(page) {
  const { store, axis } = page;
  const canvas = make("canvas", {
    id: "over-time-canvas", tabindex: "0", role: "application", "aria-roledescription": "figure to select a span in",
    "aria-label": "Latency by cause over time", "aria-describedby": "over-time-keys",
  });
  const keys = make("p", { id: "over-time-keys", class: "hint" },
    "Drag to select a span; everything on the page is then of the requests in it. By keys: arrows move the mark, with Shift they select, + and − zoom, 0 shows all, Escape selects all again.");
  const told = make("p", { class: "told", id: "over-time-told" });
  const spoken = announcer();
  const legend = make("ul", { class: "legend", "aria-label": "Causes" });
  const measures = [["total", "in all"], ["mean", "per invocation"], ["count", "invocations"]];
  const choice = make("div", { class: "choice", role: "group", "aria-label": "What is shown" }, ...measures.map(([name, title]) =>
    make("button", { type: "button", "data-measure": name, onclick: () => store.set({ measure: name === "total" ? null : name }) }, title)));
  const table = tableBehind("Over time, as a table", asTable);
  const element = section("over-time", page.run.causes.length > 0 ? "Latency by cause over time" : "Latency over time", choice, legend, canvas, told, keys, spoken.element, table.element);
  let bins = null, mark = null, drag = null, late = 0, scale = 1;
  const draw = oncePerFrame(paint);

  function measure() { return store.get().measure || "total"; }

  function count_() {
    const { run } = page;
    bins = run.isWhole ? overTime(run, page.base, axis.from, axis.to) : overviewOf(run);
    drawLegend();
    table.update();
    draw();
  }

  // While somebody zooms, what was counted before is drawn; it is counted anew when that rests.
  function zoomed() {
    clearTimeout(late);
    late = setTimeout(count_, 90);
    draw();
  }

  function drawLegend() {
    const { run } = page, colours = causeColours(run.causes);
    const sums = new Float64Array(run.causes.length);
    bins.parts.forEach((nanos, at) => { sums[at % bins.causes] += nanos; });
    const all = sums.reduce((sum, value) => sum + value, 0), { cause } = store.get();
    legend.replaceChildren(...run.causes.flatMap((one, at) => {
      if (sums[at] <= 0) return [];
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = colours[at];
      const isOn = cause === one.name;
      const button = make("button", {
        type: "button", "aria-pressed": String(isOn), title: `${one.note}. ${length(sums[at])}, ${(100 * sums[at] / all).toFixed(1)} %`, "data-cause": one.name,
        onclick: () => store.set({ cause: isOn ? null : one.name }),
      }, swatch, one.title);
      return [make("li", {}, button)];
    }));
    choice.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.measure === measure())));
  }

  function valueOf(bin) {
    if (measure() === "count") return bins.counts[bin];
    return measure() === "mean" ? (bins.counts[bin] > 0 ? bins.latency[bin] / bins.counts[bin] : 0) : bins.latency[bin];
  }

  function shown(value) { return measure() === "count" ? count(Math.round(value)) : length(value); }

  function paint() {
    const { context, width } = prepare(canvas, HEIGHT);
    axis.place(page.gutter(), width - page.gutter() - 12);
    if (!bins) return;
    const floor = HEIGHT - BOTTOM;
    let most = 0;
    for (let bin = 0; bin < bins.bins; bin++) {
      const at = (bins.first + bin) * bins.step;
      if (at + bins.step > axis.from && at < axis.to) most = Math.max(most, valueOf(bin));
    }
    scale = most > 0 ? (floor - TOP) / most : 0;
    axis.draw(context, TOP, floor);
    context.textAlign = "right";
    context.fillStyle = colour("muted");
    if (most > 0) {
      context.fillText(shown(most), axis.left - 6, TOP + 8);
      context.fillText(shown(most / 2), axis.left - 6, (TOP + floor) / 2 + 4);
    }
    context.fillStyle = colour("grid");
    context.fillRect(axis.left, TOP, axis.width, 1);
    context.fillRect(axis.left, Math.round((TOP + floor) / 2), axis.width, 1);
    context.save();
    context.beginPath();
    context.rect(axis.left, 0, axis.width, HEIGHT);
    context.clip();
    const colours = causeColours(page.run.causes), gap = axis.width / Math.max(1, (axis.to - axis.from) / bins.step) > 5 ? 1 : 0;
    for (let bin = 0; bin < bins.bins; bin++) {
      const begin = axis.x((bins.first + bin) * bins.step), end = axis.x((bins.first + bin + 1) * bins.step);
      if (end < axis.left || begin > axis.left + axis.width || bins.counts[bin] === 0) continue;
      const wide = Math.max(1, end - begin - gap);
      let y = floor;
      if (bins.causes === 0 || measure() === "count") {
        const tall = valueOf(bin) * scale;
        context.fillStyle = colour("series-0");
        context.fillRect(begin, y - tall, wide, tall);
        continue;
      }
      const per = measure() === "mean" ? 1 / bins.counts[bin] : 1;
      // The body is at the bottom: what comes before it is what can be mended.
      for (let cause = bins.causes - 1; cause >= 0; cause--) {
        const nanos = bins.parts[bin * bins.causes + cause];
        if (nanos <= 0) continue;
        const tall = nanos * per * scale;
        context.fillStyle = colours[cause];
        context.fillRect(begin, y - tall, wide, tall);
        y -= tall;
      }
    }
    page.drawSpan(context, 0, floor);
    if (mark !== null) {
      context.fillStyle = colour("ink");
      context.fillRect(axis.x(mark), TOP, 1, floor - TOP);
    }
    context.restore();
  }

  function binAt(date) {
    const bin = Math.floor(date / bins.step) - bins.first;
    return bin >= 0 && bin < bins.bins ? bin : null;
  }

  function tell(date) {
    const bin = bins && binAt(date);
    if (bin === null || bin === undefined) { told.textContent = ""; return; }
    const parts = page.run.causes.map((cause, at) => [cause.title, bins.parts[bin * bins.causes + at]]).filter(([, nanos]) => nanos > 0);
    parts.sort((one, other) => other[1] - one[1]);
    const list = parts.slice(0, 4).map(([title, nanos]) => `${title} ${length(nanos)}`).join(", ");
    const text = `${clock((bins.first + bin) * bins.step, bins.step)}, ${length(bins.step)}: ${count(bins.counts[bin])} invocations, latency ${length(bins.latency[bin])} in all${list ? `: ${list}` : ""}`;
    told.textContent = text;
    spoken.say(text);
  }

  function select(one, other) {
    const [from, to] = [Math.round(Math.min(one, other)), Math.round(Math.max(one, other))];
    store.set(to > from ? { from, to } : { from: null, to: null });
  }

  const inside = (event) => Math.min(axis.to, Math.max(axis.from, axis.date(event.offsetX)));
  canvas.addEventListener("pointerdown", (event) => {
    drag = { date: inside(event), x: event.offsetX };
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag && Math.abs(event.offsetX - drag.x) > 2) { page.preview = [drag.date, inside(event)]; page.redraw(); }
    mark = inside(event);
    tell(mark);
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag) {
      page.preview = null;
      if (Math.abs(event.offsetX - drag.x) > 2) select(drag.date, inside(event));
      else store.set({ from: null, to: null });
      // A finger does not come by before it touches.
      tell(inside(event));
    }
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => { drag = null; page.preview = null; page.redraw(); });
  canvas.addEventListener("pointerleave", () => { if (!drag) { mark = null; draw(); } });
  canvas.addEventListener("keydown", (event) => {
    const step = bins ? bins.step : (axis.to - axis.from) / 100;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (by) {
      const before = mark ?? axis.from;
      mark = Math.min(axis.to, Math.max(axis.from, Math.round(before / step + by) * step));
      if (event.shiftKey) {
        const { from, to } = store.get();
        const anchor = from === null ? Math.round(before / step) * step : (Math.abs(before - from) < step / 2 ? to : from);
        select(anchor, mark);
      }
      tell(mark);
    } else if (!page.zoomKey(event, mark ?? (axis.from + axis.to) / 2)) return;
    event.preventDefault();
    draw();
  });
  page.zoomWheel(canvas);

  function asTable() {
    const causes = page.run.causes.map((cause, at) => [cause, at]).filter(([, at]) => {
      for (let bin = 0; bin < bins.bins; bin++) if (bins.parts[bin * bins.causes + at] > 0) return true;
      return false;
    });
    const rows = [];
    for (let bin = 0; bin < bins.bins; bin++) {
      if (bins.counts[bin] === 0) continue;
      const at = (bins.first + bin) * bins.step;
      if (at + bins.step <= axis.from || at >= axis.to) continue;
      rows.push([clock(at, bins.step), count(bins.counts[bin]), count(bins.cold[bin]), length(bins.latency[bin]),
        ...causes.map(([, cause]) => length(bins.parts[bin * bins.causes + cause]))]);
    }
    return { caption: `Requests of every ${length(bins.step)}`, heads: ["from", "invocations", "cold", "latency in all", ...causes.map(([cause]) => cause.title)], rows };
  }

  return { element, count: count_, zoomed, draw };
}
