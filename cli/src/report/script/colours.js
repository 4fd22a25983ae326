// Colours of the page, as canvases need them.

let known = new Map();

export function forgetColours() {
  known = new Map();
}

// What a variable of the style sheet is now.
export function colour(variable) {
  if (!known.has(variable)) {
    known.set(variable, getComputedStyle(document.documentElement).getPropertyValue(`--${variable}`).trim() || "#888888");
  }
  return known.get(variable);
}

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// So much of one colour, the rest of another.
export function mixed(one, other, part) {
  const [from, to] = [channels(one), channels(other)];
  return `#${from.map((value, at) => Math.round(value * part + to[at] * (1 - part)).toString(16).padStart(2, "0")).join("")}`;
}

// Causes of one family have the colour of the family, the later the paler.
export function causeColours(causes) {
  const seen = new Map();
  return causes.map((cause) => {
    const before = seen.get(cause.family) || 0;
    seen.set(cause.family, before + 1);
    return mixed(colour(cause.colour), colour("ground"), Math.max(0.5, 1 - 0.15 * before));
  });
}
