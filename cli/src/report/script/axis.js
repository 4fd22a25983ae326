// The axis of dates that figures share, and how far it is zoomed.

import { colour } from "./colours.js";
import { clock } from "./text.js";

const STEPS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].flatMap((unit) => [unit, 2 * unit, 5 * unit])
  .filter((step) => step < 6e9).concat([10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200].map((s) => s * 1e9))
  .concat([1, 2, 5, 10, 20, 50, 100, 200].map((days) => days * 8.64e13));

// Nothing is shown closer than this.
const SHORTEST = 1e4;

export class Axis {
  // Up to `busy` there is something to see; up to `end`, what is left over.
  constructor(end, busy) {
    this.end = Math.max(end, SHORTEST);
    this.home = Math.min(this.end, Math.max(busy * 1.01, SHORTEST));
    this.from = 0;
    this.to = this.home;
    this.left = 0;
    this.width = 1;
  }

  place(left, width) {
    this.left = left;
    this.width = Math.max(1, width);
  }

  x(date) { return this.left + ((date - this.from) / (this.to - this.from)) * this.width; }
  date(x) { return this.from + ((x - this.left) / this.width) * (this.to - this.from); }
  isHome() { return this.from <= 0 && this.to === this.home; }
  goHome() { this.show(0, this.home); }

  show(from, to) {
    const length = Math.min(this.end, Math.max(SHORTEST, to - from));
    this.from = Math.min(Math.max(0, from), this.end - length);
    this.to = this.from + length;
  }

  zoom(factor, date) {
    const length = Math.min(this.end, Math.max(SHORTEST, (this.to - this.from) * factor));
    const part = (date - this.from) / (this.to - this.from);
    this.show(date - part * length, date - part * length + length);
  }

  move(part) {
    const by = part * (this.to - this.from);
    const from = Math.min(Math.max(0, this.from + by), this.end - (this.to - this.from));
    this.show(from, from + (this.to - this.from));
  }

  step() {
    const most = Math.max(2, this.width / 110);
    return STEPS.find((step) => (this.to - this.from) / step <= most) || STEPS[STEPS.length - 1];
  }

  draw(context, top, bottom) {
    const step = this.step();
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (let date = Math.ceil(this.from / step) * step; date <= this.to; date += step) {
      const x = Math.round(this.x(date));
      context.fillStyle = colour("grid");
      context.fillRect(x, top, 1, bottom - top);
      context.fillStyle = colour("muted");
      const text = clock(date, step), half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(x, this.left + this.width + 10 - half), bottom + 16);
    }
  }
}

// A canvas as large as it is shown, in dots of the screen.
export function prepare(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return { context, width };
}

// Draws once before the next frame, however often it is asked to.
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  };
}
