"""What the page says against a recount of the tables."""

from __future__ import annotations

import json
import math
import re
import statistics
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from conftest import HOSTILE, STORIES, Result, hearth, nanos

KNOWN = {"invocation", "function", "node", "start", "outcome", "requested_at", "latency", "cold_start", "container_ended_at", "container_node", "evicted_for"}


def rows_of(result: Result, begin: int = 0, end: int = 10**20, **filters: str) -> list[dict[str, Any]]:
    """The rows of causes.csv that were requested in a span, with times as whole nanoseconds."""
    found = []
    for row in result.table("causes.csv"):
        requested = nanos(row["requested_at"])
        if requested is not None and begin <= requested < end and all(row[name] == value for name, value in filters.items()):
            causes = {name: nanos(value) for name, value in row.items() if name not in KNOWN}
            found.append({**row, "latency": nanos(row["latency"]), "requested": requested, "causes": causes})
    return found


def quantile(values: list[int], part: float) -> int:
    """The least value that so great a share does not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def hold_numbers(shown: Any, rows: list[dict[str, Any]]) -> None:
    """The numbers at the top of the page are those of the rows."""
    said, latencies = shown.numbers(), [row["latency"] for row in rows]
    assert said["invocations"] == len(rows) > 0
    assert said["cold starts"] == pytest.approx(sum(row["start"] == "cold" for row in rows) / len(rows))
    assert said["mean latency"] == pytest.approx(sum(latencies) / len(rows), rel=1e-12)
    for title, part in {"median": 0.5, "90 % within": 0.9, "99 % within": 0.99, "greatest": 1.0}.items():
        assert said[title] == quantile(latencies, part), title


def hold_causes(shown: Any, rows: list[dict[str, Any]]) -> None:
    """The boxes of the flame graph are the sums of the rows, and each is as wide as its share."""
    boxes = dict(shown.page.eval_on_selector_all(".box", "all => all.map(one => [one.dataset.path, [+one.dataset.nanos, one.getBoundingClientRect().width]])"))
    sums: dict[str, int] = {}
    for row in rows:
        for cause, time in row["causes"].items():
            sums[cause] = sums.get(cause, 0) + time
    whole = sum(sums.values())
    assert whole == sum(row["latency"] for row in rows) == boxes[""][0]
    seen = {path.split("/")[1]: of for path, of in boxes.items() if path.count("/") == 1}
    for cause, time in sums.items():
        if time / whole > 0.003:
            assert seen[cause][0] == pytest.approx(time, rel=1e-12), cause
            assert seen[cause][1] == pytest.approx(boxes[""][1] * time / whole, abs=1.5), cause
    # Functions within causes, and causes within families.
    parts: dict[tuple[str, ...], int] = {}
    for path, (time, _) in boxes.items():
        names = tuple(path.split("/", 2)) if path else ()
        parts[names[:-1]] = parts.get(names[:-1], 0) + (time if names else 0)
        if len(names) == 3:
            assert time == sum(row["causes"][names[1]] for row in rows if row["function"] == names[2]), path
    for names, time in parts.items():
        # What is thinner than a five hundredth of the figure has no box.
        assert time == pytest.approx(boxes["/".join(names)][0], abs=0.006 * whole), names


def hold_bars(shown: Any, rows: list[dict[str, Any]]) -> None:
    """The bars of functions are as long as their latencies, by cause."""
    bars = dict(shown.page.eval_on_selector_all("#functions-table tbody tr", "all => all.map(row => [row.querySelector('button').dataset.row, [...row.querySelectorAll('.bar span')].map(one => one.getBoundingClientRect().width)])"))
    sums = {name: [sum(row["causes"][cause] for row in rows if row["function"] == name) for cause in rows[0]["causes"]] for name in bars}
    most, width = max(map(sum, sums.values())), shown.page.evaluate("document.querySelector('#functions-table .bar').getBoundingClientRect().width")
    for name, widths in bars.items():
        assert widths == pytest.approx([width * time / most for time in sums[name] if time], abs=0.1), name


def hold_nodes(shown: Any, result: Result, begin: int, end: int) -> None:
    """The table behind the timeline says what containers did in the span."""
    shown.page.click("text=Nodes, as a table")
    # It is made when it is opened.
    shown.page.wait_for_selector("#timeline tbody tr")
    heads = shown.page.eval_on_selector_all("#timeline thead th", "all => all.map(one => one.textContent)")[1:]
    nodes = shown.page.eval_on_selector_all("#timeline tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert len(nodes) == 3
    for node, *values in nodes:
        exact = overlaps(result, node, begin / 1e9, end / 1e9)
        assert dict(zip(heads, map(float, values), strict=True)) == pytest.approx(exact, abs=0.01), node


def test_all_of_a_run_is_what_its_tables_say(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    rows = rows_of(results["whole"])
    hold_numbers(shown, rows)
    hold_causes(shown, rows)


def test_a_brushed_span_filters_everything(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    (x, y), (to, _) = shown.point("#over-time-canvas", 300, 80), shown.point("#over-time-canvas", 640, 80)
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move((x + to) / 2, y + 10)
    shown.page.mouse.move(to, y)
    shown.page.mouse.up()
    given = parse_qs(shown.hash()[1:])
    begin, end = nanos(given["from"][0]), nanos(given["to"][0])
    assert begin is not None and end is not None and begin < end
    rows = rows_of(results["whole"], begin, end)
    assert len(rows) < 1000
    hold_numbers(shown, rows)
    hold_causes(shown, rows)
    hold_bars(shown, rows)
    hold_nodes(shown, results["whole"], begin, end)
    # The table of functions, and the one of invocations.
    cells = "all => all.map(row => [row.querySelector('button').dataset.row, ...[...row.querySelectorAll('td[data-value]')].map(cell => +cell.dataset.value)])"
    functions = {name: values for name, *values in shown.page.eval_on_selector_all("#functions-table tbody tr", cells)}
    assert set(functions) == {row["function"] for row in rows}
    for name, (count, cold, mean, p50, p99, most, latency) in functions.items():
        own = [row for row in rows if row["function"] == name]
        latencies = [row["latency"] for row in own]
        assert (count, latency) == (len(own), sum(latencies))
        assert cold == pytest.approx(sum(row["start"] == "cold" for row in own) / len(own))
        assert mean == pytest.approx(latency / count) and [p50, p99, most] == [quantile(latencies, part) for part in (0.5, 0.99, 1)]
    slowest = sorted(rows, key=lambda row: -row["latency"])[:25]
    listed = shown.page.eval_on_selector_all("#invocations-table tbody tr button", "all => all.map(one => one.dataset.row)")
    assert listed == [row["invocation"] for row in slowest]
    # A function beside the span, and then everything again.
    shown.page.click(f"#functions-table button.row >> nth={list(functions).index(HOSTILE)}")
    hold_numbers(shown, [row for row in rows if row["function"] == HOSTILE])
    shown.page.click("text=Select all")
    hold_numbers(shown, rows_of(results["whole"]))


def span_of(text: str) -> float:
    """A length of time that the page says, in nanoseconds."""
    number, unit = text.replace(",", "").split()
    return float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 6e10, "h": 3.6e12}[unit]


# How many dots above a date have the colour of each cause.
DOTS = """date => {
  const canvas = document.getElementById('over-time-canvas'), { busy } = JSON.parse(document.getElementById('about').textContent).runs[0];
  const x = 132 + date / (busy * 1.01) * (canvas.clientWidth - 144), data = canvas.getContext('2d').getImageData(Math.floor(x), 0, 1, 196).data, causes = {};
  let all = 0;
  for (const button of document.querySelectorAll('#over-time .legend button')) {
    const rgb = getComputedStyle(button.querySelector('.swatch')).backgroundColor.match(/\\d+/g).map(Number);
    causes[button.dataset.cause] = [...Array(196).keys()].filter(y => rgb.every((part, k) => Math.abs(part - data[4 * y + k]) < 3)).length;
    all += causes[button.dataset.cause];
  }
  return { all, causes };
}"""


def test_what_is_over_time_adds_up_in_every_interval(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page, "#measure=count&start=cold").ready()
    shown.page.click("text=Over time, as a table")
    shown.page.wait_for_selector("#over-time tbody tr")
    table = shown.page.eval_on_selector_all("#over-time tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    step = {"10 s": 10**10, "60 s": 6 * 10**10}[re.sub("Requests of every ", "", shown.page.inner_text("#over-time caption"))]
    bins: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(results["whole"], start="cold"):
        bins.setdefault(row["requested"] // step, []).append(row)
    seconds = [sum(int(part) * 60**place for place, part in enumerate(reversed(row[0].split(":")))) for row in table]
    assert dict(zip(seconds, (int(row[1]) for row in table), strict=True)) == {at * step // 10**9: len(rows) for at, rows in bins.items()}
    assert all(row[1] == row[2] for row in table), "all are cold"
    titles = {cause["title"]: cause["name"] for cause in shown.page.evaluate("JSON.parse(document.getElementById('about').textContent).runs[0].causes")}
    heads = shown.page.eval_on_selector_all("#over-time thead th", "all => all.map(one => one.textContent)")
    for at, row in zip(seconds, table, strict=True):
        here = bins[at * 10**9 // step]
        assert span_of(row[3]) == pytest.approx(sum(one["latency"] for one in here), rel=0.006)
        for title, cell in list(zip(heads, row, strict=True))[4:]:
            assert span_of(cell) == pytest.approx(sum(one["causes"][titles[title]] for one in here), rel=0.006), (at, title)
    # As they are drawn: in the bin of the most latency, each cause has as many dots as is its part.
    shown.page.click("text=in all")
    shown.page.wait_for_timeout(100)
    fullest, rows = max(bins.items(), key=lambda pair: sum(one["latency"] for one in pair[1]))
    dots = shown.page.evaluate(DOTS, (fullest + 0.5) * step)
    whole = sum(one["latency"] for one in rows)
    # Where two meet, a dot has neither colour.
    assert dots["all"] == pytest.approx(220 - 24 - 18, abs=len(dots["causes"]) + 1)
    for cause, count in dots["causes"].items():
        assert count == pytest.approx((220 - 24 - 18) * sum(one["causes"][cause] for one in rows) / whole, abs=2), cause
    assert sum(count > 3 for count in dots["causes"].values()) >= 3


def test_the_story_of_an_invocation_adds_up(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    rows = sorted(rows_of(results["whole"]), key=lambda row: -row["latency"])
    # The first one that `hearth why` does not tell of on this page.
    slow = rows[STORIES]
    shown.page.click(f"#invocations-table button.row >> nth={STORIES}")
    assert f"Invocation {slow['invocation']} of {slow['function']}" in shown.page.inner_text("#story h3")
    parts = shown.page.eval_on_selector_all("#story tbody td[data-nanos]", "all => all.map(one => +one.dataset.nanos)")
    assert parts == [time for time in slow["causes"].values() if time]
    assert sum(parts) == slow["latency"] == int(shown.page.get_attribute("#story tfoot td", "data-nanos"))
    told = shown.page.inner_text("#story")
    assert "is requested" in told and "There was no warm container" in told and "hearth why" in told
    invocation = next(row for row in results["whole"].table("invocations.csv") if row["invocation"] == slow["invocation"])
    for date in ("requested_at", "submitted_at", "dispatched_at", "started_at", "finished_at"):
        assert f"({invocation[date].rstrip('0').rstrip('.')} s)" in told, date
    # The next one by latency, and one by its number.
    shown.page.click("text=Faster one")
    assert f"Invocation {rows[STORIES + 1]['invocation']} of" in shown.page.inner_text("#story h3")
    for number in (0, 77, len(rows) - 1):
        shown.page.fill("#story-number", str(number))
        shown.page.press("#story-number", "Enter")
        assert f"Invocation {number} of" in shown.page.inner_text("#story h3")
    shown.page.fill("#story-number", "999999")
    shown.page.press("#story-number", "Enter")
    assert "is not on this page" in shown.page.inner_text("#story")


def test_the_slowest_have_the_stories_that_hearth_why_tells(results: dict[str, Result], show: Any) -> None:
    shown = show(results["whole"].page).ready()
    slowest = sorted(rows_of(results["whole"]), key=lambda row: -row["latency"])[:STORIES]
    for place in (0, STORIES - 1):
        shown.page.click(f"#invocations-table button.row >> nth={place}")
        cells = shown.page.eval_on_selector_all("#story-told tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent))")
        said = hearth("why", results["whole"].folder, slowest[place]["invocation"])
        lines = said.split("\n\n")[1].splitlines()[1:]
        assert len(cells) == len(lines) > 5
        for (at, length, what), line in zip(cells, lines, strict=True):
            date, rest = re.match(r" +([\d.]+) s +(.*)", line).groups()
            # It says 1.00 ms where the page says 1 ms.
            rest = re.sub(r"^([\d.]+?)\.?0*( (?:d|h|min|s|ms|µs|ns)  )", r"\1\2", rest) if "." in rest.split(" ")[0] else rest
            assert nanos(at.removesuffix(" s")) == nanos(date) and rest == f"{length}  {what}".strip(), line
        assert slowest[place]["invocation"] in shown.page.inner_text("#story h3") and "hearth why /" not in shown.page.inner_text("#story")


def test_dates_of_calendars_are_counted_from_an_hour(results: dict[str, Result], show: Any, tmp_path: Path) -> None:
    scenario = json.loads((results["whole"].folder.parent / "scenario.json").read_text())
    for request in scenario["workload"]["invocations"]:
        request["at"] += 1_700_000_000
    scenario["workload"]["invocations"] = scenario["workload"]["invocations"][:100]
    (tmp_path / "late.json").write_text(json.dumps(scenario))
    hearth("run", tmp_path / "late.json", "--explain", "--timeline", tmp_path / "late" / "timeline.json", "--output", tmp_path / "late")
    hearth("report", tmp_path / "late", "--stories", 1)
    shown = show(tmp_path / "late" / "report.html", "#open=node-0").ready()
    rows = rows_of(Result(tmp_path / "late", tmp_path))
    hold_numbers(shown, rows)
    origin = 1_699_999_200
    assert f"Dates on this page count from {origin:,} s" in shown.page.inner_text("#selection")
    for number in (int(max(rows, key=lambda row: row["latency"])["invocation"]), 7):
        requested = next(row["requested"] for row in rows if row["invocation"] == str(number)) - origin * 10**9
        shown.page.fill("#story-number", str(number))
        shown.page.press("#story-number", "Enter")
        date = f"{requested // 10**9}.{requested % 10**9:09}".rstrip("0")
        assert f"{date} s" in shown.page.inner_text("#story-of")
    shown.page.click("text=Show in the timeline")
    left, right = (float(value[0]) for name, value in parse_qs(shown.hash()[1:]).items() if name in ("left", "right"))
    assert left < requested / 1e9 < right


@lru_cache
def timeline(folder: Path) -> list[dict[str, Any]]:
    """The events of a timeline."""
    return json.loads((folder / "timeline.json").read_text())


def overlaps(result: Result, node: str, begin: float, end: float, function: str | None = None) -> dict[str, float]:
    """Containers of a node in each phase on average over a span in seconds, from the timeline; what they did for a function, if one is named."""
    events = timeline(result.folder)
    process = next(event["pid"] for event in events if event["name"] == "process_name" and event["args"]["name"] == node)
    sums = {"cold start": 0.0, "run": 0.0, "idle": 0.0, "prewarming": 0.0}
    for event in events:
        is_meant = function is None or (event["args"].get("function") == function and "invocation" in event["args"])
        if event["ph"] == "X" and event["pid"] == process and is_meant:
            first, last = event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6
            sums[event["name"]] += max(0.0, min(last, end) - max(first, begin))
    return {phase: time / (end - begin) for phase, time in sums.items()}


def by_intervals(result: Result, node: str, begin: float, end: float, width: float, function: str | None) -> dict[str, float]:
    """The same, if all that is known of an interval is its mean."""
    sums = {"cold start": 0.0, "run": 0.0, "idle": 0.0, "prewarming": 0.0}
    for interval in range(int(begin // width), int(end // width) + 1):
        part = max(0.0, min(end, (interval + 1) * width) - max(begin, interval * width)) / (end - begin)
        for phase, mean in overlaps(result, node, interval * width, (interval + 1) * width, function).items():
            sums[phase] += part * mean
    return sums


@pytest.mark.parametrize(("left", "right", "function"), [(0, 1300, None), (400, 460, None), (433.2, 433.9, None), (0, 1300, "report"), (40, 100, "report")])
def test_nodes_are_drawn_as_busy_as_they_were(results: dict[str, Result], show: Any, left: float, right: float, function: str | None) -> None:
    shown = show(results["whole"].page, f"#left={left}&right={right}&idle=shown{f'&function={function}' if function else ''}").ready()
    width = shown.page.evaluate("document.getElementById('timeline-canvas').clientWidth") - 132 - 12
    finest = shown.page.evaluate("JSON.parse(document.getElementById('about').textContent).runs[0].occupancy.width")
    each, compared = (right - left) / width, 0
    for x in (150, 333, 500, 720, 901):
        shown.page.mouse.move(*shown.point("#timeline-canvas", x, 13))
        told = shown.page.inner_text("#timeline-told")
        assert told.startswith("node-0 at ")
        said = {phase: float(value) for phase, value in re.findall(r"(cold start|run|idle|prewarming) ([\d.]+)", told)}
        begin = left + (x - 132) * each
        interval = finest / 1e9
        is_close = each < interval / 4
        while interval * 2 <= each:
            interval *= 2
        of = (results["whole"], "node-0", begin, begin + each)
        exact = overlaps(*of, function) if is_close else by_intervals(*of, interval, function)
        compared += sum(exact.values()) > 0
        assert said == pytest.approx(exact, abs=0.001 if is_close else 0.005), (x, told)
        # As high as it is said to be: dots of any other colour than the ground.
        dots = shown.page.evaluate(
            """x => { const canvas = document.getElementById('timeline-canvas'), data = canvas.getContext('2d').getImageData(x, 1, 1, 24).data;
            const of = name => { const hex = getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)); };
            const known = ['series-0', 'series-1', 'series-4', 'idle'].map(of);
            return [...Array(24).keys()].filter(at => data[4 * at + 3] > 127 && known.some(one => one.every((part, k) => Math.abs(part - data[4 * at + k]) < 40))).length; }""",
            x,
        )
        most = float(re.search(r"as high as ([\d.]+)", told)[1])
        assert dots == pytest.approx(sum(exact.values()) / most * 23, abs=2), x
    assert compared >= 2


def test_without_causes_the_page_says_how_to_get_them(results: dict[str, Result], show: Any) -> None:
    shown = show(results["plain"].page).ready()
    assert "--explain" in shown.page.inner_text("#no-causes")
    assert shown.page.query_selector("#flame") is None
    # The tables are Parquet; the same run wrote them as text, too.
    ended = [row for row in rows_of(results["whole"]) if row["outcome"] != "unfinished"]
    said = shown.numbers()
    assert said["invocations"] == len(rows_of(results["whole"]))
    assert said["99 % within"] == quantile([row["latency"] for row in ended], 0.99)
    assert "--timeline" in shown.page.inner_text("#timeline")


def test_runs_are_compared_with_intervals(results: dict[str, Result], show: Any, tmp_path: Path) -> None:
    page = tmp_path / "beside.html"
    folders = [results[name].folder for name in ("whole", "kept")]
    hearth("report", *folders, "--output", page)
    shown = show(page).ready()
    shown.page.wait_for_selector("#compare-table")
    cells = shown.page.eval_on_selector_all(
        "#compare-table tbody tr", "all => all.map(row => [...row.querySelectorAll('td[data-value]')].map(one => [one.dataset.value, one.dataset.half, one.dataset.difference, one.dataset.apart].map(Number)))"
    )
    rows = rows_of(results["whole"])
    # The means of twenty batches of time, and Student's t with 19 degrees of freedom.
    end = max(row["requested"] for row in rows) + 1
    batches: list[list[int]] = [[] for _ in range(20)]
    for row in rows:
        batches[min(19, int(row["requested"] // (end / 20)))].append(row["latency"])
    half = 2.093 * statistics.stdev([statistics.fmean(batch) for batch in batches]) / math.sqrt(20)
    assert cells[0][0][:2] == pytest.approx([statistics.fmean(row["latency"] for row in rows), half], rel=1e-9)
    cold, differs = cells[1][3], cells[1][0]
    assert cold[2] < 0 and abs(cold[2]) > cold[3], "what is kept for longer starts cold less often"
    assert 0 < differs[3] < cells[1][0][1], "differences of the same requests vary less than each does"
    # Another one, and a seed beside it.
    shown.page.select_option("#run-choice", label="kept")
    shown.ready()
    assert shown.numbers()["cold starts"] == pytest.approx(cold[0])
    assert "of other seeds" not in shown.page.inner_text("#compare-table")
    hearth("report", results["whole"].folder, results["seed"].folder, "--output", page)
    shown = show(page).ready()
    shown.page.wait_for_selector("#compare-table")
    assert "of other seeds" not in shown.page.inner_text("#compare-table"), "their requests differ in more than the seed"


def test_runs_of_several_seeds_are_one_row(results: dict[str, Result], show: Any, tmp_path: Path) -> None:
    scenario = results["whole"].folder.parent / "drawn.json"
    drawn = json.loads(scenario.with_name("scenario.json").read_text())
    drawn["workload"] = {"generate": {"arrivals": {"poisson": {"rate": 0.5}}, "requests": 200, "functions": {"count": 20}, "run_time": {"lognormal": {"median": 0.4, "sigma": 1}}}}
    drawn["functions"], drawn["images"], drawn["files"] = [], [], []
    scenario.write_text(json.dumps(drawn))
    folders = {(timeout, seed): tmp_path / f"{timeout}-{seed}" for timeout in ("5s", "2min") for seed in (1, 2, 3)}
    for (timeout, seed), folder in folders.items():
        hearth("run", scenario, "--explain", "--seed", seed, "--set", f"policies.keep_alive.parameters.timeout={timeout}", "--output", folder)
    hearth("report", *folders.values(), "--output", tmp_path / "seeds.html")
    shown = show(tmp_path / "seeds.html").ready()
    shown.page.wait_for_selector("#compare-table")
    # Of more than twelve functions, the others have a box together.
    boxes = dict(shown.page.eval_on_selector_all(".box", "all => all.map(one => [one.dataset.path, +one.dataset.nanos])"))
    of_body = {path: time for path, time in boxes.items() if path.startswith("body/work/")}
    work: dict[str, int] = {}
    for row in rows_of(Result(folders["5s", 1], folders["5s", 1])):
        work[row["function"]] = work.get(row["function"], 0) + row["causes"]["work"]
    *most, rest = of_body.values()
    assert len(most) == 12 and most == sorted(work.values(), reverse=True)[:12] and rest == sum(sorted(work.values(), reverse=True)[12:])
    assert list(of_body)[-1] == f"body/work/{sum(time > 0 for time in work.values()) - 12} others"
    names = shown.page.eval_on_selector_all("#compare-table tbody th", "all => all.map(one => one.textContent)")
    assert names == ["5s-1 and 2 of other seeds", "2min-1 and 2 of other seeds"]
    cells = shown.page.eval_on_selector_all(
        "#compare-table tbody tr", "all => all.map(row => { const one = row.querySelector('td[data-value]'); return ['value', 'half', 'difference', 'apart'].map(name => +one.dataset[name]); })"
    )
    means = {key: statistics.fmean(row["latency"] for row in rows_of(Result(folder, folder))) for key, folder in folders.items()}
    own = [[means[timeout, seed] for seed in (1, 2, 3)] for timeout in ("5s", "2min")]
    # Student's t with two degrees of freedom.
    half = [4.303 * statistics.stdev(values) / math.sqrt(3) for values in own]
    apart = [second - first for first, second in zip(*own, strict=True)]
    assert [cell[:2] for cell in cells] == [pytest.approx([statistics.fmean(values), width], rel=1e-9) for values, width in zip(own, half, strict=True)]
    assert cells[1][2:] == pytest.approx([statistics.fmean(apart), 4.303 * statistics.stdev(apart) / math.sqrt(3)], rel=1e-6)
