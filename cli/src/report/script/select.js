// Which invocations are meant, and what they come to.

// The rows that pass all filters but the span of time.
export function matching(run, state) {
  const wanted = run.kinds.map((kind) =>
    (state.start === null || kind.start === state.start)
    && (state.outcome === null || kind.outcome === state.outcome)
    && (state.cause === null || kind.causes.some((cause) => run.causes[cause].name === state.cause)));
  const functionNumber = state.function === null ? -1 : run.about.functions.indexOf(state.function);
  const nodeNumber = state.node === null ? -2 : run.about.nodes.indexOf(state.node);
  const rows = new Uint32Array(run.loaded);
  let count = 0;
  const anyFunction = state.function === null, anyNode = state.node === null;
  for (let row = 0; row < run.loaded; row++) {
    if (!wanted[run.kind[row]]) continue;
    if (!anyFunction && run.function[row] !== functionNumber) continue;
    if (!anyNode && run.node[row] !== nodeNumber) continue;
    rows[count++] = row;
  }
  return rows.subarray(0, count);
}

// Those of them that were requested in a span.
export function within(run, rows, from, to) {
  if (from === null) return rows;
  const inside = new Uint32Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const date = run.requested[rows[at]];
    if (date >= from && date < to) inside[count++] = rows[at];
  }
  return inside.subarray(0, count);
}

// The least value that so great a share does not exceed, of sorted values.
export function quantile(sorted, part) {
  return sorted.length === 0 ? NaN : sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

// The latencies of rows that have one, sorted.
export function latencies(run, rows) {
  const values = new Float64Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const value = run.latency[rows[at]];
    if (value === value) values[count++] = value;
  }
  return values.subarray(0, count).sort();
}

// How many of rows there are, how many started cold, and their latency as a whole and by cause.
export function summed(run, rows) {
  const cold = run.kinds.map((kind) => kind.start === "cold");
  const causes = new Float64Array(run.causes.length), having = new Float64Array(run.causes.length);
  let colds = 0, latency = 0, timed = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at], kind = run.kind[row];
    if (cold[kind]) colds++;
    if (run.latency[row] === run.latency[row]) { latency += run.latency[row]; timed++; }
    const list = run.kinds[kind].causes, first = run.partAt[row];
    for (let place = 0; place < list.length; place++) {
      causes[list[place]] += run.parts[first + place];
      having[list[place]]++;
    }
  }
  return { count: rows.length, timed, cold: colds, latency, causes, having };
}

// The same for each function that has some, with quantiles.
export function byFunction(run, rows) {
  const functions = run.about.functions.length;
  const counts = new Uint32Array(functions + 1);
  for (let at = 0; at < rows.length; at++) counts[run.function[rows[at]] + 1]++;
  for (let at = 0; at < functions; at++) counts[at + 1] += counts[at];
  const sorted = new Uint32Array(rows.length), next = counts.slice();
  for (let at = 0; at < rows.length; at++) sorted[next[run.function[rows[at]]]++] = rows[at];
  const found = [];
  for (let number = 0; number < functions; number++) {
    const own = sorted.subarray(counts[number], counts[number + 1]);
    if (own.length === 0) continue;
    const values = latencies(run, own);
    found.push({ number, name: run.about.functions[number], ...summed(run, own), p50: quantile(values, 0.5), p99: quantile(values, 0.99), most: quantile(values, 1) });
  }
  return found;
}

// Lengths of intervals, each of which divides the next: as in the overview.
const LENGTHS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 6e10, 6e11, 3.6e12, 2.16e13, 8.64e13, 6.048e14, 6.048e15];

export function stepFor(from, to, most = 240) {
  return LENGTHS.find((step) => (to - from) / step <= most) || LENGTHS[LENGTHS.length - 1];
}

// Rows summed up over intervals of the span that is shown.
export function overTime(run, rows, from, to) {
  const step = stepFor(from, to), first = Math.floor(from / step), causes = run.causes.length;
  const bins = Math.max(1, Math.ceil(to / step) - first);
  const counts = new Float64Array(bins), cold = new Float64Array(bins), latency = new Float64Array(bins), parts = new Float64Array(bins * causes);
  const isCold = run.kinds.map((kind) => kind.start === "cold");
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at], bin = Math.floor(run.requested[row] / step) - first;
    if (bin < 0 || bin >= bins) continue;
    counts[bin]++;
    if (isCold[run.kind[row]]) cold[bin]++;
    if (run.latency[row] === run.latency[row]) latency[bin] += run.latency[row];
    const list = run.kinds[run.kind[row]].causes, start = run.partAt[row];
    for (let place = 0; place < list.length; place++) parts[bin * causes + list[place]] += run.parts[start + place];
  }
  return { step, first, bins, counts, cold, latency, parts, causes };
}

// What the page was told of the whole run, in the same form.
export function overviewOf(run) {
  const { step, first, intervals } = run.about.overview, causes = run.causes.length;
  const of = (column) => Float64Array.from(intervals, (interval) => interval[column]);
  const parts = new Float64Array(intervals.length * causes);
  intervals.forEach((interval, bin) => interval[3].forEach((nanos, cause) => { parts[bin * causes + cause] = nanos; }));
  return { step, first, bins: intervals.length, counts: of(0), cold: of(1), latency: of(2), parts, causes };
}

// The first so many rows in the order of some values.
export function topRows(rows, valueOf, most, isDescending) {
  const sign = isDescending ? -1 : 1, values = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const value = sign * valueOf(rows[at]);
    // What has no value comes last.
    values[at] = value === value ? value : Infinity;
  }
  const sorted = values.slice().sort(), bound = sorted[Math.min(most, sorted.length) - 1];
  const found = [];
  for (let at = 0; at < rows.length; at++) if (values[at] <= bound) found.push(at);
  found.sort((one, other) => values[one] - values[other] || rows[one] - rows[other]);
  return found.slice(0, most).map((at) => rows[at]);
}
