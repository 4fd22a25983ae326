// What containers did, span by span, and what nodes were busy with, interval by interval.

import { unfold, unpack } from "./unpack.js";

// Phases as the page numbers them.
const COLD_START = 0, RUN = 1;

export class Spans {
  // Containers: {node, title, first, count} into columns of spans.
  constructor(size) {
    this.containers = [];
    this.begin = new Float64Array(size);
    this.end = new Float64Array(size);
    this.row = new Int32Array(size).fill(-1);
    this.function = new Uint32Array(size);
    this.phase = new Uint8Array(size);
    this.size = 0;
  }

  // The first span of a container that ends after a date.
  after({ first, count }, date) {
    let low = first, high = first + count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end[middle] <= date) low = middle + 1; else high = middle;
    }
    return low;
  }
}

// Those of the timeline that the run wrote.
export async function spansOfTimeline(run) {
  const { containers, in_chunks: inChunks } = run.about.containers;
  const spans = new Spans(containers.reduce((sum, [, , count]) => sum + count, 0));
  let container = 0;
  for (let chunk = 0; chunk < inChunks.length; chunk++) {
    const columns = await unpack(`run-${run.number}-spans-${chunk}`), at = { way: 0, plain: 0, begin: 0, end: 0 };
    for (let last = container + inChunks[chunk]; container < last; container++) {
      const [node, number, count] = containers[container];
      spans.containers.push({ node, title: `container ${number}`, first: spans.size, count });
      takeContainer(run, spans, columns, at, count);
    }
  }
  return spans;
}

// What `explore/containers` has packed.
function takeContainer(run, spans, [ways, rows, functions, begins, ends], at, count) {
  const first = spans.size, started = run.dates[2], dispatched = run.dates[1];
  let rowBefore = 0, functionBefore = 0;
  const beginOf = (way, span) => {
    switch (Math.floor(way / 3) % 4) {
      case 0: return spans.end[span - 1];
      case 1: return started[spans.row[span]];
      case 2: return dispatched[spans.row[span]];
      default: return (span > first ? spans.begin[span - 1] : 0) + unfold(begins[at.begin++]);
    }
  };
  for (let place = 0; place < count; place++) {
    const span = first + place, row = rows[at.way + place];
    if (row > 0) {
      rowBefore += unfold(row - 1);
      spans.row[span] = rowBefore;
      functionBefore = run.function[rowBefore];
    } else {
      const number = functions[at.plain++];
      if (number > 0) functionBefore = number - 1;
    }
    spans.function[span] = functionBefore;
    spans.phase[span] = Math.floor(ways[at.way + place] / 12);
  }
  for (let place = 0; place < count; place++) {
    const span = first + place, way = ways[at.way + place];
    spans.begin[span] = beginOf(way, span);
    switch (way % 3) {
      case 0: spans.end[span] = run.finishedAt(spans.row[span]); break;
      // Such a begin depends on no other span.
      case 1: spans.end[span] = beginOf(ways[at.way + place + 1], span + 1); break;
      default: spans.end[span] = spans.begin[span] + ends[at.end++];
    }
  }
  at.way += count;
  spans.size += count;
}

// Without a timeline: invocations on their nodes, as many beside each other as there were at a time.
export function spansOfInvocations(run) {
  const nodes = run.about.nodes.map(() => []), spans = new Spans(run.loaded * 2);
  const order = [];
  for (let row = 0; row < run.loaded; row++) {
    if (run.node[row] >= 0 && run.dates[1][row] === run.dates[1][row] && run.finishedAt(row) === run.finishedAt(row)) order.push(row);
  }
  order.sort((one, other) => run.dates[1][one] - run.dates[1][other]);
  for (const row of order) {
    const lanes = nodes[run.node[row]], begin = run.dates[1][row];
    let lane = lanes.find((lane) => lane.free <= begin);
    if (!lane) lanes.push(lane = { free: 0, rows: [] });
    lane.rows.push(row);
    lane.free = run.finishedAt(row);
  }
  nodes.forEach((lanes, node) => lanes.forEach((lane, number) => {
    const first = spans.size;
    for (const row of lane.rows) {
      const dispatched = run.dates[1][row], started = run.dates[2][row], finished = run.finishedAt(row);
      const put = (begin, end, phase) => {
        if (end <= begin) return;
        spans.begin[spans.size] = begin;
        spans.end[spans.size] = end;
        spans.row[spans.size] = row;
        spans.function[spans.size] = run.function[row];
        spans.phase[spans.size++] = phase;
      };
      const body = started === started ? Math.min(Math.max(started, dispatched), finished) : dispatched;
      put(dispatched, body, run.startOf(row) === "cold" ? COLD_START : RUN);
      put(body, finished, RUN);
    }
    spans.containers.push({ node, title: `place ${number + 1}`, first, count: spans.size - first });
  }));
  return spans;
}

// Levels of detail: how many containers of a node were in a phase, on average over intervals, each level of twice the length.
export class Occupancy {
  constructor(width, nodes, phases) {
    this.width = width;
    this.nodes = nodes;
    this.phases = phases;
    this.series = new Map();
  }

  put(node, phase, values) { this.series.set(node * this.phases + phase, [values]); }

  level(node, phase, level) {
    const levels = this.series.get(node * this.phases + phase);
    if (!levels) return null;
    while (levels.length <= level) {
      const fine = levels[levels.length - 1], coarse = new Float32Array(Math.ceil(fine.length / 2));
      for (let at = 0; at < coarse.length; at++) coarse[at] = (fine[2 * at] + (fine[2 * at + 1] || 0)) / 2;
      levels.push(coarse);
    }
    return levels[level];
  }

  // On average from one date to another.
  mean(node, phase, from, to) {
    let level = 0;
    while (level < 30 && this.width * 2 ** (level + 1) <= (to - from) / 2) level++;
    const values = this.level(node, phase, level), width = this.width * 2 ** level;
    if (!values) return 0;
    let sum = 0;
    for (let at = Math.max(0, Math.floor(from / width)); at < values.length && at * width < to; at++) {
      sum += values[at] * (Math.min(to, (at + 1) * width) - Math.max(from, at * width));
    }
    return to > from ? sum / (to - from) : 0;
  }

  // The most containers that are in some phases at a time, on average over the finest intervals.
  most(node, phases) {
    let most = 0;
    const all = phases.map((phase) => this.level(node, phase, 0)).filter((values) => values);
    const length = all.reduce((length, values) => Math.max(length, values.length), 0);
    for (let at = 0; at < length; at++) most = Math.max(most, all.reduce((sum, values) => sum + (values[at] || 0), 0));
    return most;
  }
}

// The levels that are on the page.
export async function occupancyOfPage(run, nodes) {
  const { width, full, series } = run.about.occupancy, columns = await unpack(`run-${run.number}-occupancy`);
  const occupancy = new Occupancy(width, nodes, run.about.phases.length);
  series.forEach(([node, phase], at) => occupancy.put(node, phase, Float32Array.from(columns[at], (share) => share / full)));
  return occupancy;
}

// The same of the spans of some invocations.
export function occupancyOfSpans(spans, width, nodes, phases, isMeant) {
  const sums = new Map(), occupancy = new Occupancy(width, nodes, phases);
  let end = 0;
  for (let span = 0; span < spans.size; span++) end = Math.max(end, spans.end[span]);
  const bins = Math.ceil(end / width);
  for (const container of spans.containers) {
    for (let span = container.first; span < container.first + container.count; span++) {
      if (!isMeant(span)) continue;
      const key = container.node * phases + spans.phase[span];
      if (!sums.has(key)) sums.set(key, new Float32Array(bins));
      const values = sums.get(key), begin = spans.begin[span], finish = spans.end[span];
      for (let bin = Math.floor(begin / width); bin < bins && bin * width < finish; bin++) {
        values[bin] += (Math.min(finish, (bin + 1) * width) - Math.max(begin, bin * width)) / width;
      }
    }
  }
  sums.forEach((values, key) => occupancy.series.set(key, [values]));
  return occupancy;
}
