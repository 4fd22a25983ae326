// What everything is filtered by, and what the selected invocations come to.

import { make } from "./dom.js";
import { quantile } from "./select.js";
import { clock, count, length, parseDate, share, words } from "./text.js";

export const FILTERS = ["function", "node", "start", "outcome", "cause"];
const NOTHING = { from: null, to: null };

// A field for each filter that there is something to choose from for.
function makeFields({ store, run }) {
  const { about, kinds, causes } = run;
  const values = {
    function: about.functions, node: about.nodes, cause: causes.map((cause) => cause.name),
    start: [...new Set(kinds.map((kind) => kind.start).filter((start) => start !== null))], outcome: [...new Set(kinds.map((kind) => kind.outcome))],
  };
  const titleOf = { function: String, node: String, start: words, outcome: words, cause: (value) => causes.find((cause) => cause.name === value).title };
  return FILTERS.filter((name) => values[name].length > 1).map((name) => {
    const sorted = [...values[name]].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    // Something may be called nothing: a value begins with a mark.
    const options = sorted.map((value) => make("option", { value: `=${value}` }, titleOf[name](value)));
    const field = make("select", { id: `filter-${name}`, onchange: () => store.set({ [name]: field.value === "" ? null : field.value.slice(1) }) }, make("option", { value: "" }, "all"), ...options);
    return { name, field, label: make("label", { for: field.id }, name === "cause" ? "with the cause" : name) };
  });
}

// The fields of the span, and what is said if they are not understood.
function makeSpan({ store, run }) {
  const field = (name, placeholder) => make("input", { type: "text", id: `span-${name}`, size: "13", placeholder, spellcheck: "false", autocomplete: "off" });
  const from = field("from", "begin"), to = field("to", "end"), problem = make("span", { class: "problem", role: "alert" });
  const dateOf = (field, other) => (field.value.trim() === "" ? other : parseDate(field.value));
  const shown = (date) => (date === null ? "" : clock(date, 1).replace(/\.?0+$/, ""));
  return {
    from, to, problem,
    take() {
      const isAll = [from, to].every((field) => field.value.trim() === ""), begin = dateOf(from, 0), end = dateOf(to, Math.ceil(run.about.end) + 1);
      const isGood = isAll || (begin !== null && end !== null && begin < end);
      problem.textContent = isGood ? "" : "Write dates as seconds, or as h:mm:ss.sss, the first before the second.";
      if (isGood) store.set(isAll ? NOTHING : { from: begin, to: end });
    },
    fill(state) { [from.value, to.value] = [shown(state.from), shown(state.to)]; },
  };
}

// What is not on the page, though it was in the run, and from where dates count.
function leftOut({ sample, every, invocations, unrequested, origin_s: origin }) {
  const left = [
    sample < 1 ? `The run wrote a sample of ${share(sample)} of its invocations.` : "",
    every > 1 ? `One of ${every} of the ${count(invocations)} invocations that the run wrote is on the page.` : "",
    unrequested > 0 ? `${count(unrequested)} were never requested, and are not on the page.` : "",
    every > 1 || sample < 1 ? "What nodes were busy with is of all, as far as their timeline or the table has them." : "",
    origin > 0 ? `Dates on this page count from ${count(origin)} s, since the first request comes that late.` : "",
  ].filter((text) => text !== "");
  return left.length > 0 ? make("p", { class: "hint" }, left.join(" ")) : null;
}

// Numbers of the selected invocations, of which these are the latencies: titles, values, and texts.
function numbersOf(sums, sorted) {
  const mean = sums.timed > 0 ? sums.latency / sums.timed : NaN, cold = sums.cold / sums.count;
  const parts = [["median", 0.5], ["90 % within", 0.9], ["99 % within", 0.99], ["greatest", 1]].map(([title, part]) => [title, quantile(sorted, part)]);
  return [["invocations", sums.count, count(sums.count)], ["cold starts", cold, share(cold)], ...[["mean latency", mean], ...parts].map(([title, value]) => [title, value, length(value)])];
}

export function makeFilters(page) {
  const { store, run } = page, fields = makeFields(page), span = makeSpan(page);
  const clear = make("button", { type: "button", onclick: () => store.set({ ...NOTHING, ...Object.fromEntries(FILTERS.map((name) => [name, null])) }) }, "Select all");
  const zoom = make("button", { type: "button", onclick: () => { const { from, to } = store.get(); page.axis.show(from, to); page.viewed(); } }, "Zoom to it");
  const together = (...parts) => make("span", { class: "field" }, ...parts);
  const form = make("form", { class: "filters", "aria-label": "Which invocations are shown", onsubmit: (event) => { event.preventDefault(); span.take(); } },
    together(make("label", { for: "span-from" }, "requested from"), span.from), together(make("label", { for: "span-to" }, "to"), span.to),
    make("button", { type: "submit" }, "Apply"), zoom, ...fields.map(({ field, label }) => together(label, field)), clear, span.problem);
  const numbers = make("dl", { class: "numbers", id: "numbers" }), status = make("p", { role: "status", class: "reading" }, "Reading…");

  function fill() {
    const state = store.get();
    for (const { name, field } of fields) field.value = state[name] === null ? "" : `=${state[name]}`;
    span.fill(state);
    zoom.disabled = state.from === null;
    clear.disabled = state.from === null && FILTERS.every((name) => state[name] === null);
  }

  return {
    element: make("div", { id: "selection" }, form, status, numbers, leftOut(run.about)),
    reading(part) { if (part < 1) status.textContent = `Reading… ${Math.floor(100 * part)} %`; },
    update(sums, sorted) {
      fill();
      status.textContent = `${count(sums.count)} of ${count(run.loaded)} invocations are selected, however they ended.`;
      numbers.replaceChildren(...numbersOf(sums, sorted).map(([title, value, text]) => make("div", {}, make("dt", {}, title), make("dd", { "data-value": value, "data-key": title }, text))));
    },
  };
}
