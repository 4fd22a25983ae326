"""How long a page takes to be seen, to be whole, and to follow the wheel and the brush: `python tests/page/measure.py report.html`, with Playwright."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

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

# Notes how long frames take from now on, until it is asked for them.
FRAMES = """() => {
  const frames = [];
  let last = performance.now(), isOn = true;
  const next = () => { const now = performance.now(); frames.push(now - last); last = now; if (isOn) requestAnimationFrame(next); };
  requestAnimationFrame(next);
  window.takeFrames = () => { isOn = false; return frames.sort((one, other) => one - other); };
}"""

SELECT = """async (hash) => {
  const begin = performance.now();
  location.hash = hash;
  await new Promise((done) => addEventListener("hashchange", done, { once: true }));
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""


def brushed(page: Any) -> tuple[list[float], float]:
    """How long frames take while a span is drawn over time, and the one in which everything follows it."""
    canvas = page.locator("#over-time-canvas")
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
    box = canvas.bounding_box()
    y = box["y"] + 80
    page.mouse.move(box["x"] + 300, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(80):
        page.mouse.move(box["x"] + 300 + 5 * step, y)
    frames = page.evaluate("window.takeFrames()")
    page.evaluate(FRAMES)
    page.mouse.up()
    page.wait_for_timeout(1000)
    assert "from=" in page.evaluate("location.hash")
    return frames, page.evaluate("window.takeFrames()")[-1]


def in_words(frames: list[float]) -> str:
    """What sorted times of frames come to."""
    return f"median {frames[len(frames) // 2]:.0f}, 95 % within {frames[len(frames) * 95 // 100]:.0f}, the longest {frames[-1]:.0f}"


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
            page.keyboard.press("0")
            brush, follows = brushed(page)
            end = page.evaluate("JSON.parse(document.getElementById('about').textContent).runs[0].busy / 1e9")
            span = page.evaluate(SELECT, f"from={end / 3:.0f}&to={end / 2:.0f}")
            print(f"first paint {paint:.0f}, numbers {numbers:.0f}, spans {whole:.0f}; a span selected by its address {span:.0f}")
            print(f"  frames while zooming: {in_words(frames)}; while brushing: {in_words(brush)}; when the brush is let go: {follows:.0f}")
        browser.close()


if __name__ == "__main__":
    main()
