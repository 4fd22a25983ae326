"""How long a page takes to be seen, to be whole and to follow the wheel: `python tests/page/measure.py report.html`, with Playwright."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ZOOM = """async () => {
  const canvas = document.getElementById("timeline-canvas"), frames = [];
  canvas.scrollIntoView({ block: "center" });
  canvas.focus({ preventScroll: true });
  const { left, top } = canvas.getBoundingClientRect();
  for (let frame = 0, last = performance.now(); frame < 120; frame++) {
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: frame < 60 ? -100 : 100, clientX: left + 700, clientY: top + 50, bubbles: true, cancelable: true }));
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames.sort((one, other) => one - other);
}"""

SELECT = """async (hash) => {
  const begin = performance.now();
  location.hash = hash;
  await new Promise((done) => addEventListener("hashchange", done, { once: true }));
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""


def main() -> None:
    """Opens the page three times, and says how long everything took, in milliseconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("HEARTH_CHROMIUM") or None, args=["--no-sandbox"])
        for _ in range(3):
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            page.goto(f"file://{Path(sys.argv[1]).resolve()}", wait_until="commit")
            page.wait_for_selector("html[data-ready]", timeout=120_000)
            numbers = page.evaluate("performance.now()")
            page.wait_for_selector("html[data-timeline]", timeout=120_000)
            whole = page.evaluate("performance.now()")
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            frames = page.evaluate(ZOOM)
            end = page.evaluate("JSON.parse(document.getElementById('about').textContent).runs[0].busy / 1e9")
            span = page.evaluate(SELECT, f"from={end / 3:.0f}&to={end / 2:.0f}")
            print(f"first paint {paint:.0f}, numbers {numbers:.0f}, spans {whole:.0f}; frames while zooming: median {frames[60]:.0f}, 95 % within {frames[113]:.0f}; a span selected {span:.0f}")
        browser.close()


if __name__ == "__main__":
    main()
