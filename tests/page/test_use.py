"""What people do with the page: by pointer, by keys, by screen readers, on paper and on small screens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from conftest import HOSTILE, SCENARIO_NAME, Result, axe, hearth, nanos


def span(shown: Any) -> tuple[float, float]:
    """What the axis of dates shows, from the address."""
    given = parse_qs(shown.hash()[1:])
    return float(given["left"][0]), float(given["right"][0])


def test_names_are_text_whatever_is_in_them(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    assert shown.page.inner_text("h1") == SCENARIO_NAME
    assert HOSTILE in shown.page.inner_text("#functions-table")
    shown.page.select_option("#filter-function", label=HOSTILE)
    assert parse_qs(shown.hash()[1:])["function"] == [HOSTILE]
    shown.page.click("#invocations-table button.row >> nth=0")
    assert HOSTILE in shown.page.inner_text("#story h3")
    assert shown.page.locator("img, iframe, object, main b").count() == 0
    # Even if some of it became code, the policy of the page would not run it.
    shown.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hacked = 1'}))")
    assert len(shown.problems) == 1 and "Content Security Policy" in shown.problems.pop()


def test_the_timeline_zooms_from_all_to_a_millisecond(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page, "#open=node-0").ready()
    x, y = shown.point("#timeline-canvas", 700, 33)
    before = shown.page.evaluate("scrollY")
    shown.page.mouse.move(x, y)
    shown.page.mouse.wheel(0, -100)
    shown.page.wait_for_timeout(300)
    assert "left" not in shown.hash(), "the wheel is the page's until the figure is clicked"
    shown.page.evaluate("top => scrollTo(0, top)", before)
    x, y = shown.point("#timeline-canvas", 700, 33)
    shown.page.mouse.click(x, y)
    shown.page.mouse.move(x, y)
    for _ in range(16):
        shown.page.mouse.wheel(0, -300)
    left, right = span(shown)
    assert right - left < 0.001
    # Dragging moves, by as much as the pointer does.
    shown.page.mouse.down()
    shown.page.mouse.move(x - 200, y, steps=3)
    shown.page.mouse.up()
    moved, _ = span(shown)
    assert moved - left == pytest.approx((right - left) * 200 / (shown.page.locator("#timeline-canvas").bounding_box()["width"] - 144), rel=0.02)
    shown.page.mouse.dblclick(x, y)
    assert "left" not in shown.hash()
    # With Shift it selects.
    shown.page.keyboard.down("Shift")
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 100, y, steps=3)
    shown.page.mouse.up()
    shown.page.keyboard.up("Shift")
    assert "from=" in shown.hash() and shown.numbers()["invocations"] < 400


def test_a_span_of_a_container_leads_to_its_invocation(results: dict[str, Result], show: Any) -> None:
    row = next(row for row in results["whole"].table("invocations.csv") if row["node"] == "node-0" and int(row["invocation"]) > 300)
    started, finished = (nanos(row[date]) or 0 for date in ("started_at", "finished_at"))
    shown = show(results["whole"].page, f"#open=node-0&left={started / 1e9 - 1}&right={finished / 1e9 + 1}").ready()
    width = shown.page.locator("#timeline-canvas").bounding_box()["width"] - 144
    x = 132 + width * (1 + (finished - started) / 2e9) / (2 + (finished - started) / 1e9)
    told = []
    for y in range(33, 33 + 14 * 12, 14):
        shown.page.mouse.move(*shown.point("#timeline-canvas", x, y))
        told.append(shown.page.inner_text("#timeline-told"))
        if f"invocation {row['invocation']}," in told[-1]:
            shown.page.mouse.click(*shown.point("#timeline-canvas", x, y))
            break
    assert f"run of {row['function']}, invocation {row['invocation']}," in told[-1], told
    assert f"Invocation {row['invocation']} of" in shown.page.inner_text("#story h3")
    # And back.
    shown.page.mouse.dblclick(*shown.point("#timeline-canvas", 500, 10))
    shown.page.click("text=Show in the timeline")
    left, right = span(shown)
    assert left <= started / 1e9 <= right


def test_everything_is_done_by_keys(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    page = shown.page
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.dataset.path || document.activeElement.dataset.sort || document.activeElement.className || document.activeElement.tagName"))
    for wanted in ("theme", "span-from", "filter-function", "over-time-canvas", "timeline-canvas", "functions-search", "with-idle", "box"):
        assert wanted in reached, (wanted, reached)
    page.focus("#over-time-canvas")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert "200" in page.inner_text("#over-time-told") or "0:03:" in page.inner_text("#over-time-told")
    given = parse_qs(shown.hash()[1:])
    assert (given["from"], given["to"]) == (["200"], ["230"])
    # What is told stands where screen readers say it when it has settled.
    page.wait_for_timeout(100)
    assert page.inner_text("#over-time > [role=status]") == page.inner_text("#over-time-told") != ""
    rows = [row for row in results["whole"].table("causes.csv") if 200 <= float(row["requested_at"]) < 230]
    assert shown.numbers()["invocations"] == len(rows) > 0
    page.keyboard.press("Escape")
    assert "from" not in shown.hash()
    page.keyboard.press("+")
    left, right = span(shown)
    assert 0 < right - left < 1200
    page.keyboard.press("0")
    assert "left" not in shown.hash()
    # Dates may be typed.
    page.fill("#span-from", "0:05:00")
    page.fill("#span-to", "nonsense")
    page.press("#span-to", "Enter")
    assert "Write dates" in page.inner_text(".problem")
    page.fill("#span-to", "330.5")
    page.press("#span-to", "Enter")
    given = parse_qs(shown.hash()[1:])
    assert (given["from"], given["to"]) == (["300"], ["330.5"]) and page.inner_text(".problem") == ""
    # Rows of the timeline are gone through; a node opens, a container leads to a story.
    page.focus("#timeline-canvas")
    page.keyboard.press("Enter")
    assert "open=node-0" in shown.hash()
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#timeline-told").startswith("node-0, container 0")
    page.keyboard.press("Enter")
    assert "invocation=" in shown.hash()
    # Boxes of the flame graph.
    page.focus('[data-path="body"]')
    page.keyboard.press("Enter")
    assert "flame=body" in shown.hash() and page.locator('[data-path="image"]').count() == 0
    assert page.evaluate("document.activeElement.dataset.path") == "body"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.path").startswith("body/")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.path") == ""


def test_tables_are_sorted_searched_and_gone_through(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    page = shown.page
    first = "#functions-table tbody tr:first-child button"
    page.click("#functions-table [data-sort=invocations]")
    assert page.inner_text(first) == HOSTILE
    assert page.get_attribute("#functions-table th:nth-child(2)", "aria-sort") == "descending"
    page.click("#functions-table [data-sort=invocations]")
    assert page.inner_text(first) == "report"
    page.click("#functions-table [data-sort=function]")
    names = page.eval_on_selector_all("#functions-table button.row", "all => all.map(one => one.textContent)")
    assert sorted(names) != sorted(names, reverse=True) and len(names) == 3
    page.fill("#functions-search", "FACES")
    assert page.eval_on_selector_all("#functions-table button.row", "all => all.map(one => one.textContent)") == ["find-faces"]
    page.click("#invocations-table [data-sort=requested]")
    page.click("#invocations-table [data-sort=requested]")
    listed = "all => all.map(one => one.textContent)"
    assert page.eval_on_selector_all("#invocations-table button.row", listed) == [str(number) for number in range(25)]
    page.click("#invocations .pager button:has-text('Next')")
    assert page.eval_on_selector_all("#invocations-table button.row", listed) == [str(number) for number in range(25, 50)]
    assert "26 to 50 of 1,000" in page.inner_text("#invocations .pages")


def test_a_link_shows_the_same_again(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    page = shown.page
    page.select_option("#filter-start", label="cold")
    page.click("text=per invocation")
    page.click("[data-cause=container_start]")
    page.fill("#span-from", "10")
    page.fill("#span-to", "900.25")
    page.press("#span-to", "Enter")
    page.focus("#timeline-canvas")
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    page.click("#with-idle")
    page.click("[data-path=start]")
    page.click("#invocations-table button.row >> nth=3")
    page.select_option("#theme", label="dark")
    address = shown.hash()
    again = show(results["whole"].page, address).ready()
    assert again.numbers() == shown.numbers()
    paths = "all => all.map(one => one.dataset.path)"
    assert again.page.eval_on_selector_all(".box", paths) == page.eval_on_selector_all(".box", paths)
    assert {"open", "idle", "flame", "left", "start", "measure", "cause", "invocation", "theme"} <= set(parse_qs(address[1:]))
    for part in ("#story h3", "#numbers", "#functions-table", "#invocations-table"):
        assert again.page.inner_text(part) == page.inner_text(part), part
    again.page.wait_for_timeout(300)
    drawn = "id => document.getElementById(id).toDataURL()"
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(2, 2)
    page.wait_for_timeout(300)
    for canvas in ("over-time-canvas", "timeline-canvas"):
        assert again.page.evaluate(drawn, canvas) == page.evaluate(drawn, canvas), canvas
    assert again.hash() == address
    # Back to all by the address alone.
    again.page.evaluate("location.hash = ''")
    again.page.wait_for_function("document.querySelector('#numbers dd').dataset.value === '1500'")
    # Nonsense in a link is passed over.
    odd = show(results["whole"].page, "#from=x&to=1e9&left=5&right=4&function=nobody&open=%00&theme=pink&invocation=-3&cause=x").ready()
    assert odd.page.inner_text("#numbers dd") == "0"


def test_dark_and_light_follow_the_system_and_the_switch(results: dict[str, Result], show: Any) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dot = "(() => { const c = document.getElementById('over-time-canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const all = new Set(); for (let k = 0; k < d.length; k += 4) if (d[k + 3] === 255) all.add((d[k] << 16) + (d[k + 1] << 8) + d[k + 2]); return [...all]; })()"
    shown = show(results["whole"].page, color_scheme="dark").ready()
    dark, dark_dots = shown.page.evaluate(ground), shown.page.evaluate(dot)
    shown.page.select_option("#theme", label="light")
    shown.page.wait_for_timeout(200)
    light, light_dots = shown.page.evaluate(ground), shown.page.evaluate(dot)
    assert (dark, light) == ("rgb(21, 25, 30)", "rgb(255, 255, 255)")
    assert 0x4FB3F2 in dark_dots and 0x0072B2 not in dark_dots and 0x0072B2 in light_dots
    shown.page.select_option("#theme", label="as the system")
    shown.page.emulate_media(color_scheme="light")
    shown.page.wait_for_timeout(200)
    assert shown.page.evaluate(ground) == light and set(shown.page.evaluate(dot)) & {0x0072B2}


def test_a_narrow_screen_shows_all_without_moving_sideways(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page, "#invocation=5&open=node-0", viewport={"width": 340, "height": 700}, has_touch=True).ready()
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 340
    x, y = shown.point("#over-time-canvas", 200, 80)
    shown.page.touchscreen.tap(x, y)
    assert shown.page.inner_text("#over-time-told") != ""


def test_paper_has_the_tables_and_none_of_the_controls(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page, "#invocation=5&theme=dark").ready()
    shown.page.emulate_media(media="print")
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.wait_for_timeout(200)
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visible = {part: shown.page.locator(part).first.is_visible() for part in (".filters", "#tools", ".pager", "#numbers", "#flame table", "#functions-table", "#story h3", "#over-time-canvas")}
    assert visible == {".filters": False, "#tools": False, ".pager": False, "#numbers": True, "#flame table": True, "#functions-table": True, "#story h3": True, "#over-time-canvas": True}
    texts = {title: shown.page.get_by_role("region", name=title).is_visible() for title in ("scenario.json", "summary.json")}
    assert texts == {"scenario.json": False, "summary.json": True}, "what would take many sheets is left out"
    assert len(shown.page.pdf(format="A4")) > 50_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(results: dict[str, Result], show: Any, scheme: str) -> None:
    shown = show(results["whole"].page, "#invocation=5&open=node-0&left=100&right=102&from=100&to=101.5", color_scheme=scheme).ready()
    for summary in shown.page.locator("details summary").all():
        summary.click()
    # In the dark, only what colours can do wrong is another.
    assert axe(shown) >= 20 if scheme == "light" else axe(shown, "color-contrast") == 1
    # What screen readers are told of figures, and that there is a table behind each.
    for canvas in ("over-time", "timeline"):
        described = shown.page.get_attribute(f"#{canvas}-canvas", "aria-describedby")
        assert shown.page.inner_text(f"#{described}") != "" and shown.page.locator(f"#{canvas} table tbody tr").count() >= 3


def test_without_a_script_the_page_has_its_figures(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page, java_script_enabled=False)
    assert shown.page.locator("figure svg").count() >= 6 and "does not run" in shown.page.inner_text("body")
    shown.problems.clear()


def test_the_table_of_a_sweep_is_sorted_and_searched(results: dict[str, Result], show: Any, tmp_path: Path) -> None:
    scenario = results["whole"].folder.parent / "scenario.json"
    hearth("compare", scenario, "--output", tmp_path / "sweep", "--policy", "keep_alive=fixed", "--policy", "keep_alive=no-keep-alive", "--vary", "functions[report].time_limit=19s,2min,30s", "--seeds", "1..2")
    hearth("report", tmp_path / "sweep")
    shown = show(tmp_path / "sweep" / "report.html")
    cells = "all => all.map(row => [row.cells[0].textContent + ' ' + row.cells[1].textContent, row.hidden])"
    names = [name for name, _ in shown.page.eval_on_selector_all("table.sortable tbody tr", cells)]
    shown.page.click("table.sortable thead button >> nth=1")
    sorted_names = [name for name, _ in shown.page.eval_on_selector_all("table.sortable tbody tr", cells)]
    assert sorted_names != names and [name.split()[-1] for name in sorted_names] == ["2min", "2min", "19s", "19s", "30s", "30s"]
    # Times of different units are in the order of their lengths.
    column = 1 + shown.page.eval_on_selector_all("table.sortable thead th", "all => all.findIndex(head => /latency/.test(head.textContent))")
    seconds = {"s": 1.0, "ms": 1e-3, "min": 60.0}
    for sign in (1, -1):
        shown.page.click(f"table.sortable thead th:nth-child({column}) button")
        told = shown.page.eval_on_selector_all(f"table.sortable tbody td:nth-child({column})", "all => all.map(cell => cell.firstChild.textContent)")
        values = [sign * float(text.split()[0]) * seconds[text.split()[1]] for text in told]
        assert values == sorted(values) and values[0] != values[-1], told
    shown.page.fill("#find-0", "2MIN")
    assert sum(not hidden for _, hidden in shown.page.eval_on_selector_all("table.sortable tbody tr", cells)) == 2
    assert re.search("12 of 12 runs", shown.page.inner_text("main"))
