// Runs beside each other, with intervals.
//
// A run is cut into batches of time, whose means are nearly independent of each other; runs that differ in their seeds alone are one row, and
// their means are what varies. Differences are those of batches, or of seeds, that belong together.

import { causeColours } from "./colours.js";
import { make, section } from "./dom.js";
import { latencies, matching, quantile, summed, within } from "./select.js";
import { bar } from "./tables.js";
import { count, length, share } from "./text.js";

const BATCHES = 20;

// What 95 % of Student's t distribution do not exceed on either side, by degrees of freedom.
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
  2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];

export function halfWidth(values) {
  const known = values.filter((value) => value === value);
  if (known.length < 2) return NaN;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1);
  return (STUDENT[known.length - 2] ?? 1.96) * Math.sqrt(variance / known.length);
}

const METRICS = [
  { key: "mean", title: "mean latency", show: length, of: (run, rows) => { const sums = summed(run, rows); return sums.timed > 0 ? sums.latency / sums.timed : NaN; } },
  { key: "p50", title: "median", show: length, of: (run, rows) => quantile(latencies(run, rows), 0.5) },
  { key: "p99", title: "99 % within", show: length, of: (run, rows) => quantile(latencies(run, rows), 0.99) },
  { key: "cold", title: "cold starts", show: share, apart: (value) => share(value).replace("%", "pp"), of: (run, rows) => (rows.length > 0 ? summed(run, rows).cold / rows.length : NaN) },
];

export function makeCompare(page) {
  const { store, runs } = page;
  const place = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs beside each other" });
  const note = make("p", { class: "hint" });
  const element = section("compare", "Runs beside each other", place, note);
  const groups = [...new Set(runs.map((run) => run.about.group))].map((group) => runs.filter((run) => run.about.group === group));

  // A value of a run or of several, and what it varies by.
  function estimates(group, metric, state, from, to) {
    if (group.length > 1) {
      const values = group.map((run) => metric.of(run, within(run, matching(run, state), state.from, state.to)));
      return { value: values.reduce((sum, value) => sum + value, 0) / values.length, parts: values, keys: group.map((run) => run.about.seed) };
    }
    const [run] = group, rows = within(run, matching(run, state), state.from, state.to), long = (to - from) / BATCHES;
    const parts = Array.from({ length: BATCHES }, (_, batch) => metric.of(run, within(run, rows, from + batch * long, batch + 1 === BATCHES ? to : from + (batch + 1) * long)));
    return { value: metric.of(run, rows), parts, keys: parts.map((_, batch) => batch) };
  }

  function against(one, base) {
    const pairs = one.keys.map((key, at) => [one.parts[at], base.parts[base.keys.indexOf(key)]]).filter(([own, other]) => own === own && other === other);
    if (pairs.length < 2 || one.parts.length !== base.parts.length) return NaN;
    return halfWidth(pairs.map(([own, other]) => own - other));
  }

  async function update() {
    if (runs.some((run) => !run.isWhole)) {
      place.replaceChildren(make("p", { class: "hint" }, "Reading the other runs…"));
      for (const run of runs) await run.load();
    }
    const state = store.get(), end = Math.max(...runs.map((run) => run.requested[run.loaded - 1] ?? 0)) + 1;
    const [from, to] = state.from === null ? [0, end] : [state.from, state.to];
    const base = METRICS.map((metric) => estimates(groups[0], metric, state, from, to));
    const mean = (run) => { const sums = summed(run, within(run, matching(run, state), state.from, state.to)); return { sums, of: sums.timed > 0 ? sums.latency / sums.timed : 0 }; };
    const means = groups.map((group) => mean(group[0])), most = Math.max(...means.map(({ of }) => of), 0);
    const lines = groups.map((group, number) => {
      const cells = METRICS.map((metric, at) => {
        const own = number === 0 ? base[at] : estimates(group, metric, state, from, to), half = halfWidth(own.parts);
        const text = `${metric.show(own.value)}${half === half ? ` ± ${metric.show(half)}` : ""}`;
        const apart = number > 0 ? against(own, base[at]) : NaN, difference = own.value - base[at].value;
        const showDifference = metric.apart ?? metric.show, sign = difference < 0 ? "−" : "+";
        const told = number === 0 || !(difference === difference) ? null
          : make("small", { class: Math.abs(difference) > apart ? "apart" : null }, `${sign}${showDifference(Math.abs(difference))}${apart === apart ? ` ± ${showDifference(apart)}` : ""}`);
        return make("td", { class: "number", "data-value": own.value, "data-half": half, "data-difference": difference, "data-apart": apart }, text, told ? make("br") : null, told);
      });
      const [run] = group, { sums } = means[number];
      const numbers = group.reduce((sum, run) => sum + within(run, matching(run, state), state.from, state.to).length, 0);
      const name = group.length > 1 ? `${run.about.label} and ${group.length - 1} of other seeds` : run.about.label;
      return make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "number" }, count(numbers)), ...cells,
        run.causes.length > 0 ? make("td", {}, bar(Array.from(sums.causes, (nanos) => nanos / Math.max(1, sums.timed)), causeColours(run.causes), most, run.causes.map((cause) => cause.title))) : make("td", {}, "no causes"));
    });
    const heads = ["run", "invocations", ...METRICS.map((metric) => metric.title), "mean latency by cause"];
    place.replaceChildren(make("table", { id: "compare-table" }, make("caption", {}, `Of the selected invocations; small: differences to ${groups[0][0].about.label}, bold where zero is outside of the interval`),
      make("thead", {}, make("tr", {}, ...heads.map((head, at) => make("th", { scope: "col", class: at > 0 && at < heads.length - 1 ? "number" : null }, head)))), make("tbody", {}, ...lines)));
    note.textContent = `± is half of a 95 % interval: over seeds where there are several, else over ${BATCHES} batches of time (t distribution). Values are of all selected invocations. Differences are taken batch by batch, or seed by seed, so that what all runs have in common does not count.`;
  }

  return { element, update };
}
