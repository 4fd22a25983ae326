// A run: its invocations in columns, and what their latencies are made of.

import { unfold, unpack, unpackJson } from "./unpack.js";

export class Run {
  constructor(number, about) {
    this.number = number;
    this.about = about;
    this.causes = about.causes || [];
    this.rows = about.rows.reduce((sum, rows) => sum + rows, 0);
    this.kinds = about.kinds.map(([start, outcome, dates, causes]) => ({ start, outcome, dates, causes }));
    this.loaded = 0;
    this.isWhole = false;
    this.loading = null;
  }

  // Unpacks everything, and tells how far it is.
  load(progress) {
    this.loading ||= this.unpackAll(progress);
    return this.loading;
  }

  async unpackAll(progress) {
    const rows = this.rows;
    this.invocation = new Float64Array(rows);
    this.requested = new Float64Array(rows);
    this.latency = new Float64Array(rows);
    this.function = new Uint32Array(rows);
    this.node = new Int32Array(rows);
    this.kind = new Uint32Array(rows);
    this.failure = new Uint16Array(rows);
    this.dates = [0, 1, 2].map(() => new Float64Array(rows));
    this.after = (this.about.after || []).map((column) => (column.is_date ? new Float64Array(rows) : new Int32Array(rows)));
    this.partAt = new Uint32Array(rows + 1);
    this.parts = new Float64Array(rows * 4);
    for (let chunk = 0; chunk < this.about.rows.length; chunk++) {
      this.take(await unpack(`run-${this.number}-rows-${chunk}`), this.about.rows[chunk]);
      progress?.(this.loaded / rows);
    }
    // Of the slowest ones, if that was asked for: [date, length, what], by number.
    this.stories = this.about.stories ? await unpackJson(`run-${this.number}-stories`) : {};
    this.isWhole = true;
  }

  take(columns, rows) {
    const [numbers, requests, functions, nodes, kinds, failures, submitted, dispatched, started, latencies, ...rest] = columns;
    const dates = [submitted, dispatched, started], after = rest.slice(0, this.after.length), parts = rest.slice(this.after.length);
    const next = [0, 0, 0], nextPart = new Uint32Array(parts.length);
    let number = 0, requested = 0, nextLatency = 0, part = this.partAt[this.loaded];
    for (let row = 0; row < rows; row++) {
      const at = this.loaded + row, kind = this.kinds[kinds[row]];
      this.invocation[at] = number += unfold(numbers[row]);
      this.requested[at] = requested += unfold(requests[row]);
      this.function[at] = functions[row];
      this.node[at] = nodes[row] - 1;
      this.kind[at] = kinds[row];
      this.failure[at] = failures[row];
      let date = requested;
      for (let place = 0; place < 3; place++) {
        if (kind.dates & (1 << place)) this.dates[place][at] = date += unfold(dates[place][next[place]++]);
        else this.dates[place][at] = NaN;
      }
      const latency = kind.dates & 16 ? latencies[nextLatency++] : NaN;
      this.latency[at] = latency;
      if (part + kind.causes.length > this.parts.length) this.grow();
      let left = latency;
      for (let place = 0; place < kind.causes.length; place++) {
        const cause = kind.causes[place];
        // The last one is what is left.
        const nanos = place + 1 < kind.causes.length ? parts[cause][nextPart[cause]++] : left;
        this.parts[part++] = nanos;
        left -= nanos;
      }
      this.partAt[at + 1] = part;
      for (let place = 0; place < after.length; place++) this.after[place][at] = after[place][row] - 1;
    }
    this.loaded += rows;
  }

  grow() {
    const more = new Float64Array(this.parts.length * 2);
    more.set(this.parts);
    this.parts = more;
  }

  startOf(row) { return this.kinds[this.kind[row]].start; }
  outcomeOf(row) { return this.kinds[this.kind[row]].outcome; }
  finishedAt(row) { return this.kinds[this.kind[row]].dates & 8 ? this.requested[row] + this.latency[row] : NaN; }
  functionOf(row) { return this.about.functions[this.function[row]]; }
  nodeOf(row) { return this.node[row] < 0 ? null : this.about.nodes[this.node[row]]; }

  // The row of an invocation, by its number; -1 if it is not on the page.
  rowOf(number) {
    let low = 0, high = this.loaded;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.invocation[middle] < number) low = middle + 1; else high = middle;
    }
    return low < this.loaded && this.invocation[low] === number ? low : -1;
  }

  // Its causes with their nanoseconds, in the order in which it came to them.
  partsOf(row) {
    const { causes } = this.kinds[this.kind[row]];
    return causes.map((cause, place) => [cause, this.parts[this.partAt[row] + place]]);
  }
}
