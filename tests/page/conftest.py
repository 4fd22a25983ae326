"""Results that pages are made of, and a browser to look at these. `scripts/page-tests` says where `hearth` and the browser are."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not here")

EXAMPLES = Path(__file__).parents[2] / "examples"

# What a name must not do: end the script, or run as one.
HOSTILE = "</script><img src=x onerror=window.hacked=1>\"'`${window.hacked=1}"
SCENARIO_NAME = "<b onclick=window.hacked=1>photos</b> & more"


def scenario(seed: int, invocations: int = 1500) -> dict[str, Any]:
    """The photo service of the examples under a steady load, with names that are not meant well."""
    found = json.loads((EXAMPLES / "quickstart.json").read_text())
    draw = random.Random(seed)
    found["name"], found["seed"] = SCENARIO_NAME, seed
    next(one for one in found["functions"] if one["name"] == "resize")["name"] = HOSTILE
    date, requests = 0.0, []
    for _ in range(invocations):
        date += draw.expovariate(1.1)
        function = draw.choices([HOSTILE, "find-faces", "report"], [8, 2, 1])[0]
        requests.append({"at": round(date, 9), "function": function})
    found["workload"]["invocations"] = requests
    found["policies"]["keep_alive"]["parameters"]["timeout"] = "30s"
    return found


def hearth(*arguments: str | Path) -> str:
    """What the command says."""
    done = subprocess.run([os.environ["HEARTH"], *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def nanos(text: str) -> int | None:
    """Seconds with at most nine decimals, exactly."""
    if not text:
        return None
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0") or 0)


@dataclass
class Result:
    """The folder of a run, its page, and the tables that the page is held against."""

    folder: Path
    page: Path

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a table."""
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))


# Of so many invocations the page of the whole run has the stories.
STORIES = 5


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Runs with all that a page shows, with less of it, and of another policy."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "scenario.json").write_text(json.dumps(scenario(7)))
    (folder / "other.json").write_text(json.dumps(scenario(8)))
    choices: dict[str, list[str | Path]] = {
        "whole": ["scenario.json", "--explain", "--timeline", folder / "whole" / "timeline.json"],
        "plain": ["scenario.json", "--format", "parquet"],
        "kept": ["scenario.json", "--explain", "--format", "parquet", "--set", "policies.keep_alive.parameters.timeout=5min"],
        "seed": ["other.json", "--explain"],
    }
    made = {}
    for name, (file, *more) in choices.items():
        hearth("run", folder / str(file), "--output", folder / name, *more)
        hearth("report", folder / name, *(["--stories", str(STORIES)] if name == "whole" else []))
        made[name] = Result(folder / name, folder / name / "report.html")
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The browser that `scripts/page-tests` has found."""
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=os.environ.get("HEARTH_CHROMIUM") or None, args=["--no-sandbox"])
        yield found
        found.close()


class Shown:
    """A page in a browser, which is to do nothing but what it is asked to."""

    def __init__(self, browser: Any, file: Path, address: str = "", **options: Any) -> None:
        options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self.hear)
        self.page.on("dialog", lambda dialog: self.problems.append(dialog.message))
        self.page.on("request", lambda asked: asked.url.startswith("file:") or self.problems.append(asked.url))
        self.page.goto(f"file://{file}{address}")

    def hear(self, said: Any) -> None:
        """Notes what the browser complains about; that canvases are read is the doing of these tests."""
        if said.type in ("error", "warning") and "willReadFrequently" not in said.text:
            self.problems.append(said.text)

    def ready(self) -> Shown:
        """When everything is there."""
        self.page.wait_for_selector("html[data-ready][data-timeline]", timeout=20_000)
        return self

    def numbers(self) -> dict[str, float]:
        """What the selected invocations come to."""
        found = self.page.eval_on_selector_all("#numbers dd", "all => all.map(one => [one.dataset.key, +one.dataset.value])")
        return dict(found)

    def hash(self) -> str:
        """What stands in the address, when it has settled."""
        self.page.wait_for_timeout(380)
        return str(self.page.evaluate("location.hash"))

    def point(self, canvas: str, x: float, y: float) -> tuple[float, float]:
        """A place on a canvas, in the window."""
        self.page.locator(canvas).scroll_into_view_if_needed()
        box = self.page.locator(canvas).bounding_box()
        return box["x"] + x, box["y"] + y

    def close(self) -> None:
        """Nothing has gone wrong."""
        assert self.page.evaluate("window.hacked") is None
        self.context.close()
        assert self.problems == []


def axe(shown: Shown, *rules: str) -> int:
    """How many rules of accessibility the page holds, of these or all; it breaks none."""
    package = find_spec("axe_playwright_python")
    if package is None or package.submodule_search_locations is None:
        pytest.skip("axe-core is not here")
    shown.page.evaluate(next(Path(package.submodule_search_locations[0]).rglob("axe.min.js")).read_text())
    wanted = list(rules) or ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = shown.page.evaluate("wanted => axe.run(document, {runOnly: wanted, resultTypes: ['violations']})", wanted)
    told = [(one["id"], one["help"], [node["html"][-150:] for node in one["nodes"]][:3]) for one in found["violations"]]
    assert told == []
    return len(found["passes"])


@pytest.fixture
def show(browser: Any) -> Iterator[Any]:
    """Shows files, and looks in the end whether all went well."""
    shown: list[Shown] = []

    def of(file: Path, address: str = "", **options: Any) -> Shown:
        shown.append(Shown(browser, file, address, **options))
        return shown[-1]

    yield of
    for one in shown:
        one.close()
