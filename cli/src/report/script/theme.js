// Dark or light: as the system has it, or as somebody chose.

import { make } from "./dom.js";

export function makeTheme(store) {
  const choices = [[null, "as the system"], ["light", "light"], ["dark", "dark"]];
  const field = make("select", { id: "theme", onchange: () => store.set({ theme: field.value || null }) }, ...choices.map(([value, title]) => make("option", { value: value ?? "" }, title)));
  document.getElementById("tools").append(make("label", { for: "theme" }, "Colours:"), field);
  function apply() {
    const { theme } = store.get();
    const known = theme === "light" || theme === "dark" ? theme : null;
    if (known) document.documentElement.dataset.theme = known; else delete document.documentElement.dataset.theme;
    field.value = known ?? "";
  }
  apply();
  store.listen((_, changed) => { if (changed.has("theme")) apply(); });
  // Paper cannot be unfolded.
  addEventListener("beforeprint", () => document.querySelectorAll("details:not(.behind)").forEach((details) => { details.open = true; }));
}
