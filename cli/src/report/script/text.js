// Numbers and dates as people read them. Times are nanoseconds.

const SECOND = 1e9;
const UNITS = [[86400 * SECOND, "d"], [3600 * SECOND, "h"], [60 * SECOND, "min"], [SECOND, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

function threeDigits(value) {
  return value >= 999.5 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3));
}

// A length of time with three significant digits.
export function length(nanos) {
  if (!Number.isFinite(nanos)) return "–";
  if (nanos === 0) return "0 s";
  const size = Math.abs(nanos);
  // Two minutes and two hours are told in the smaller unit, as elsewhere.
  const [unit, name] = UNITS.find(([unit]) => size >= unit * (unit >= 60 * SECOND ? 2 : 1)) || UNITS[UNITS.length - 1];
  return `${nanos < 0 ? "−" : ""}${threeDigits(size / unit)} ${name}`;
}

// Nanoseconds as seconds, every digit of them.
export function exact(nanos) {
  const whole = Math.floor(nanos / SECOND);
  const part = String(Math.round(nanos - whole * SECOND)).padStart(9, "0").replace(/0+$/, "");
  return part ? `${whole}.${part}` : String(whole);
}

// A date as h:mm:ss, with so many decimals as dates that are so far apart need.
export function clock(nanos, step = 1e6) {
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / SECOND) - 1e-9)));
  const scale = 10 ** digits;
  const all = Math.round((nanos / SECOND) * scale) / scale;
  const two = (value) => String(value).padStart(2, "0");
  const seconds = (all % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${Math.floor(all / 3600)}:${two(Math.floor(all / 60) % 60)}:${seconds}`;
}

// What somebody typed as a date: seconds, or h:mm:ss; nothing if it is none.
export function parseDate(text) {
  const match = /^\s*(?:(?:(\d+):)?(\d+):)?(\d+)(?:\.(\d{1,9})\d*)?\s*s?\s*$/.exec(text);
  if (!match) return null;
  const [, hours = 0, minutes = 0, seconds, part = ""] = match;
  return (hours * 3600 + minutes * 60 + +seconds) * SECOND + +part.padEnd(9, "0");
}

export function count(value) {
  return value.toLocaleString("en");
}

export function share(value) {
  return Number.isFinite(value) ? `${(100 * value).toFixed(value >= 0.0995 || value === 0 ? 1 : 2)} %` : "–";
}

export function words(name) {
  return String(name).replaceAll("_", " ");
}
