// What is looked at. It stands in the address, so that a link shows the same.

import { exact } from "./text.js";

const TEXTS = ["run", "function", "node", "start", "outcome", "cause", "invocation", "measure", "open", "theme", "flame", "idle"];
const DATES = ["from", "to", "left", "right"];

function toNanos(text) {
  const match = /^(\d{1,8})(?:\.(\d{1,9}))?$/.exec(text);
  return match ? +match[1] * 1e9 + +(match[2] || "").padEnd(9, "0") : null;
}

export function readHash(hash) {
  const state = {}, given = new URLSearchParams(hash.replace(/^#/, ""));
  for (const name of TEXTS) state[name] = given.get(name);
  for (const name of DATES) state[name] = given.has(name) ? toNanos(given.get(name)) : null;
  if (state.from === null || state.to === null || state.from >= state.to) state.from = state.to = null;
  if (state.left === null || state.right === null || state.left >= state.right) state.left = state.right = null;
  return state;
}

export function writeHash(state) {
  const given = new URLSearchParams();
  for (const name of TEXTS) if (state[name] !== null && state[name] !== undefined && state[name] !== "") given.set(name, state[name]);
  for (const name of DATES) if (state[name] !== null && state[name] !== undefined) given.set(name, exact(state[name]));
  return given.toString();
}

export function makeStore() {
  let state = readHash(location.hash), timer = 0;
  const listeners = [];
  const same = (one, other) => one === other || (one ?? null) === (other ?? null);
  function tell(changed) {
    if (changed.size > 0) listeners.forEach((listener) => listener(state, changed));
  }
  function put(next) {
    const changed = new Set([...TEXTS, ...DATES].filter((name) => !same(state[name], next[name])));
    state = next;
    tell(changed);
  }
  addEventListener("hashchange", () => put(readHash(location.hash)));
  return {
    get: () => state,
    set(patch) {
      put({ ...state, ...patch });
      // Browsers refuse to change the address too often.
      clearTimeout(timer);
      timer = setTimeout(() => {
        const hash = writeHash(state);
        history.replaceState(null, "", hash ? `#${hash}` : location.href.split("#")[0]);
      }, 150);
    },
    listen: (listener) => listeners.push(listener),
  };
}
