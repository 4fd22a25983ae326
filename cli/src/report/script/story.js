// The story of an invocation: what its rows in the tables say, in words.

import { causeColours } from "./colours.js";
import { make, section } from "./dom.js";
import { bar } from "./tables.js";
import { clock, exact, length, share, words } from "./text.js";

export function makeStory(page) {
  const { store } = page;
  const place = make("div", { class: "story", id: "story-of", tabindex: "-1" });
  const field = make("input", { type: "text", inputmode: "numeric", id: "story-number", size: "9" });
  const form = make("form", {
    class: "search",
    onsubmit: (event) => { event.preventDefault(); if (field.value.trim()) store.set({ invocation: field.value.trim() }); },
  }, make("label", { for: "story-number" }, "Invocation number:"), " ", field, " ", make("button", { type: "submit" }, "Read"),
  " ", make("button", { type: "button", onclick: () => step(-1) }, "Slower one"), " ", make("button", { type: "button", onclick: () => step(1) }, "Faster one"));
  const element = section("story", "Story of an invocation", form, place);

  // The next one of those that are selected, by latency.
  function step(by) {
    const { run } = page, now = run.rowOf(Number(store.get().invocation ?? NaN));
    const own = now < 0 ? Infinity : run.latency[now];
    let best = -1;
    for (let at = 0; at < page.rows.length; at++) {
      const row = page.rows[at], latency = run.latency[row];
      const isBeyond = by > 0 ? latency < own || (latency === own && row > now) : latency > own || (latency === own && row < now);
      if (row === now || !(latency === latency) || !isBeyond) continue;
      const isCloser = best < 0 || (by > 0 ? latency > run.latency[best] : latency < run.latency[best]) || (latency === run.latency[best] && by < 0);
      if (isCloser) best = row;
    }
    if (best >= 0) store.set({ invocation: String(run.invocation[best]) });
  }

  function date(nanos) { return `${clock(nanos)} (${exact(nanos)} s)`; }

  // What the row of the invocation says.
  function dates(row) {
    const { run } = page, lines = [], requested = run.requested[row], [submitted, dispatched, started] = run.dates.map((dates) => dates[row]);
    const finished = run.finishedAt(row), outcome = words(run.outcomeOf(row)), node = run.nodeOf(row), start = run.startOf(row);
    const say = (at, text) => { if (at === at) lines.push([at, text]); };
    say(requested, `is requested of ${run.functionOf(row)}.`);
    say(submitted, `has been taken in by the head, ${length(submitted - requested)} later.`);
    say(dispatched, `gets a container and a core${node ? ` on ${node}` : ""}${start ? `: a ${start} start` : ""}, ${length(dispatched - requested)} after the request.`);
    say(started, `begins its body, ${length(started - requested)} after the request.`);
    say(finished, `ends: ${outcome}, ${length(finished - requested)} after the request.`);
    if (!(finished === finished)) lines.push([null, `It has not ended: ${outcome}.`]);
    return make("ol", { class: "dates" }, ...lines.map(([at, text]) => make("li", {}, at === null ? null : make("span", { class: "at" }, date(at)), " ", text)));
  }

  // Why there was no container, and what goes with that.
  function coldStart(row) {
    const { run } = page, columns = run.about.after || [];
    const valueOf = (name) => {
      const at = columns.findIndex((column) => column.name === name);
      if (at < 0 || run.after[at][row] < 0) return null;
      return columns[at].is_date ? run.after[at][row] : columns[at].words[run.after[at][row]];
    };
    const cause = valueOf("cold_start");
    if (!cause) return null;
    const [ended, node, other] = ["container_ended_at", "container_node", "evicted_for"].map(valueOf);
    const more = [ended === null ? "" : `that was at ${date(ended)}`, node ? `on ${node.name}` : "", other ? `for a container of ${other.name}` : ""].filter((text) => text !== "");
    return make("p", {}, `There was no warm container: ${cause.note || words(cause.name)}${more.length > 0 ? ` (${more.join(", ")})` : ""}.`);
  }

  function tableOf([id, frame], label, caption, heads, isNumber, ...parts) {
    const head = make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: isNumber(at) ? "number" : null }, text)));
    return make("div", { class: frame, tabindex: "0", role: "region", "aria-label": label }, make("table", { id }, make("caption", {}, caption), make("thead", {}, head), ...parts));
  }

  // What `hearth why` tells of it.
  function happenings(lines) {
    const rows = lines.map(([at, nanos, what]) => make("tr", {}, make("td", { class: "number" }, `${exact(at)} s`), make("td", { class: "number" }, nanos === null ? "" : length(nanos)), make("td", {}, what)));
    return tableOf(["story-told", "scroll tall"], "What happened", "What happened to it, as hearth why tells it", ["at", "for", "what"], (at) => at < 2, make("tbody", {}, ...rows));
  }

  function causes(row, colours) {
    const { run } = page, latency = run.latency[row];
    const rows = run.partsOf(row).map(([cause, nanos]) => {
      const { title, note, policy } = run.causes[cause], swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = colours[cause];
      return make("tr", {}, make("th", { scope: "row" }, swatch, title, policy ? make("small", {}, ` ${policy}`) : null),
        make("td", { class: "number", "data-nanos": nanos }, length(nanos)), make("td", { class: "number" }, share(nanos / latency)),
        make("td", { class: "number" }, `${exact(nanos)} s`), make("td", {}, note));
    });
    const all = make("tr", {}, make("th", { scope: "row" }, "latency"), make("td", { class: "number", "data-nanos": latency }, length(latency)), make("td", { class: "number" }, ""), make("td", { class: "number" }, `${exact(latency)} s`), make("td", {}, ""));
    return tableOf(["story-causes", "scroll"], "Causes of this invocation", "What its latency is made of, in the order in which it came to it", ["cause", "time", "share", "exactly", "what it says"],
      (at) => at > 0 && at < 4, make("tbody", {}, ...rows), make("tfoot", {}, all));
  }

  // Everything about the invocation of a row.
  function contents(row) {
    const { run } = page, number = run.invocation[row], latency = run.latency[row], lines = run.stories[number], parts = run.partsOf(row);
    const found = [make("h3", {}, `Invocation ${number} of ${run.functionOf(row)}: ${words(run.outcomeOf(row))}${latency === latency ? ` after ${length(latency)}` : ""}`)];
    if (run.failure[row] > 0) found.push(make("p", {}, run.about.failures[run.failure[row] - 1]));
    found.push(...(lines ? [happenings(lines)] : [dates(row), coldStart(row)]));
    if (parts.length > 0) {
      const colours = causeColours(run.causes), values = new Array(run.causes.length).fill(0);
      parts.forEach(([cause, nanos]) => { values[cause] = nanos; });
      found.push(bar(values, colours, latency, run.causes.map((cause) => cause.title)), causes(row, colours));
    }
    if (!lines) found.push(make("p", { class: "hint" }, "More of it, with what policies were shown and answered: ", make("code", {}, `hearth why ${run.about.path} ${number}`)));
    found.push(make("p", {}, make("button", { type: "button", onclick: () => page.showRow(row) }, "Show in the timeline"),
      " ", make("button", { type: "button", onclick: () => store.set({ invocation: null }) }, "Close")));
    return found.filter((part) => part !== null);
  }

  function update(isAsked) {
    const { run } = page, { invocation } = store.get();
    if (invocation === null || !run.isWhole) {
      place.replaceChildren(make("p", { class: "hint" }, run.isWhole ? "Choose an invocation in the table or in the timeline." : ""));
      return;
    }
    field.value = invocation;
    const row = run.rowOf(Number(invocation));
    if (row < 0) {
      place.replaceChildren(make("p", {}, `Invocation ${invocation} is not on this page.`));
      return;
    }
    place.replaceChildren(...contents(row));
    if (isAsked) {
      element.scrollIntoView({ block: "nearest" });
      place.focus({ preventScroll: true });
    }
  }

  return { element, update };
}
