"""The page of two runs side by side, against a recount of the table of `hearth diff`."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import HOSTILE, Result, axe, hearth, nanos

CELLS = "all => all.map(row => [...row.cells].map(cell => cell.dataset.value ?? cell.textContent))"


@dataclass
class Difference:
    """A page, what the command said of the same, and its table."""

    page: Path
    told: dict[str, Any]
    rows: list[dict[str, str]]

    def changes(self) -> list[tuple[dict[str, str], int]]:
        """Rows of invocations that complete in both, with what their latencies differ by in nanoseconds."""
        both = [row for row in self.rows if row["first_latency"] and row["second_latency"]]
        return [(row, (nanos(row["second_latency"]) or 0) - (nanos(row["first_latency"]) or 0)) for row in both]


@pytest.fixture(scope="session")
def difference(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Difference:
    """Two runs of which the second keeps containers for longer."""
    folder = tmp_path_factory.mktemp("difference")
    page, table = folder / "page.html", folder / "table.csv"
    told = hearth("diff", results["whole"].folder, results["kept"].folder, "--page", page, "--table", table, "--json", "--most", "3")
    with table.open(newline="") as file:
        return Difference(page, json.loads(told), list(csv.DictReader(file)))


def section(shown: Any, title: str) -> Any:
    """The table that follows a heading or has a caption."""
    return shown.page.locator("table", has=shown.page.locator("caption", has_text=title))


def cells(table: Any) -> list[list[str]]:
    """The values of a table."""
    return list(table.locator("tbody tr").evaluate_all(CELLS))


def test_the_first_decision_stands_there_with_both_answers(difference: Difference, show: Any) -> None:
    shown = show(difference.page)
    facts = {name: (first, second) for name, first, second in cells(section(shown, "The first decision that differs"))}
    first, second = difference.told["parted"]["first"], difference.told["parted"]["second"]
    assert facts["call number"] == (str(first["call"]), str(second["call"]))
    assert [json.loads(answer) for answer in facts["answers"]] == [first["answer"], second["answer"]] and first["answer"] != second["answer"]
    assert facts["policy of"] == ("keep_alive", "keep_alive") and float(facts["at"][0].removesuffix(" s")) == first["date_ns"] / 1e9
    led_to = cells(section(shown, "The invocations that part first"))
    assert [row[0] for row in led_to[:3]] == [str(one["invocation"]) for one in difference.told["led_to"]]
    by_date = sorted((nanos(row["parted_at"]), int(row["invocation"])) for row in difference.rows if row["parted_at"])
    assert [int(row[0]) for row in led_to] == [number for _, number in by_date[:200]]
    assert HOSTILE in shown.page.inner_text("main") and shown.page.locator("img, iframe, main b").count() == 0


def test_who_won_and_who_lost_is_a_recount(difference: Difference, show: Any) -> None:
    shown = show(difference.page)
    changes = difference.changes()
    won, lost = (sorted((by * sign, int(row["invocation"])) for row, by in changes if by * sign < 0)[:200] for sign in (1, -1))
    listed = cells(section(shown, "that won most"))
    assert [int(row[0]) for row in listed] == [number for _, number in won] + [number for _, number in reversed(lost)]
    by_number = {row["invocation"]: (row, by) for row, by in changes}
    for number, function, requested, first, second, change, _ in listed:
        row, by = by_number[number]
        assert (function, nanos(requested), nanos(first), nanos(second)) == (row["function"], nanos(row["requested_at"]), nanos(row["first_latency"]), nanos(row["second_latency"]))
        assert float(change) == pytest.approx(by / 1e9, abs=1e-9)
    # By how far they are apart, and by the date of the request.
    shown.page.click("text=How far latencies are apart, as a table")
    for by, faster, slower in cells(section(shown, "How far latencies are apart")):
        ends = [float(part.split()[0]) * {"us": 1e3, "ms": 1e6, "s": 1e9, "min": 6e10}[part.split()[1]] for part in by.removeprefix("below ").split(" to ")]
        low, high = ends if len(ends) == 2 else (0, ends[0])
        count = [sum(low <= change * sign < high and change * sign > 0 for _, change in changes) for sign in (-1, 1)]
        assert [int(faster), int(slower)] == count, by
    shown.page.click("text=/Requests of every 10.0 s, as a table/")
    over_time = cells(section(shown, "Requests of every 10.0 s"))
    for start, count, faster, by_faster, slower, by_slower, *_ in over_time:
        here = [change for row, change in changes if float(start) * 1e9 <= (nanos(row["requested_at"]) or 0) < (float(start) + 10) * 1e9]
        assert int(count) >= len(here)
        assert float(by_faster) == pytest.approx(-sum(change for change in here if change < 0) / 1e9, abs=1e-8)
        assert float(by_slower) == pytest.approx(sum(change for change in here if change > 0) / 1e9, abs=1e-8)
        assert int(faster) >= sum(change < 0 for change in here) and int(slower) >= sum(change > 0 for change in here)
    assert sum(int(row[1]) for row in over_time) == len(difference.rows)
    functions = {row[0]: [float(value) for value in row[1:]] for row in cells(section(shown, "Functions, those"))}
    assert set(functions) == {row["function"] for row in difference.rows}
    for name, values in functions.items():
        own = [row for row in difference.rows if row["function"] == name]
        assert values[0] == len(own) and values[5] == pytest.approx(sum(by for row, by in changes if row["function"] == name) / 1e9, abs=1e-8)
        assert values[6:8] == [sum(row[f"{which}_start"] == "cold" for row in own) for which in ("first", "second")]


def test_its_tables_are_sorted_and_searched_and_its_figures_read_out(difference: Difference, show: Any) -> None:
    shown = show(difference.page, "#theme=dark")
    table = section(shown, "that won most")
    table.locator("th button", has_text="latency in the first").click()
    values = [float(row[3]) for row in cells(table)]
    assert values == sorted(values) and values[0] != values[-1]
    # On paper there are the first and the last of many rows.
    shown.page.emulate_media(media="print")
    assert table.locator("tbody tr:visible").evaluate_all(CELLS) == cells(table)[:25] + cells(table)[-25:]
    shown.page.emulate_media(media="screen")
    field = shown.page.get_by_label("Find: in 200 that won most")
    field.fill("report")
    visible = table.locator("tbody tr:visible").evaluate_all(CELLS)
    assert {row[1] for row in visible} == {"report"}
    titles = shown.page.eval_on_selector_all("figure svg", "all => all.map(one => one.querySelector('title').textContent)")
    assert len(titles) == 4 and "How far latencies are apart: invocations" in titles
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 30)"
    # A bar of the picture is as long as its number says.
    bars = shown.page.eval_on_selector_all("#differences rect[fill='var(--series-0)']", "all => all.map(one => one.getBoundingClientRect().width)")
    shown.page.click("text=How far latencies are apart, as a table")
    counts = [int(row[1]) for row in cells(section(shown, "How far latencies are apart")) if row[1] != "0"]
    assert [bar / max(bars) for bar in bars] == pytest.approx([count / max(counts) for count in counts], abs=0.02)
    narrow = show(difference.page, viewport={"width": 360, "height": 700})
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_axe_finds_nothing_on_it(difference: Difference, show: Any) -> None:
    shown = show(difference.page)
    for summary in shown.page.locator("details summary").all():
        summary.click()
    # Rows are alike, and axe looks at each.
    shown.page.evaluate("document.querySelectorAll('tbody tr:nth-child(n+6)').forEach(row => row.remove())")
    assert axe(shown) >= 15


def test_the_same_twice_differs_in_nothing(results: dict[str, Result], show: Any, tmp_path: Path) -> None:
    hearth("diff", results["whole"].folder, results["whole"].folder, "--page", tmp_path / "same.html")
    shown = show(tmp_path / "same.html")
    assert "Nothing differs:" in shown.page.inner_text("main") and shown.page.locator("svg").count() == 0
