"""Runs: however a scenario is given, the same comes of it as of the command."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import hearth
import pytest
from support import PROJECT, QUICKSTART, LeastLoaded, TenTimes, generated


def printed(command: list[str], *arguments: object) -> Any:
    run = subprocess.run([*command, "run", "--json", *map(str, arguments)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", ["quickstart", "generated", "instances", "workflows"])
def test_the_summary_is_that_of_the_command(command: list[str], name: str) -> None:
    file = PROJECT / "examples" / f"{name}.json"
    assert hearth.run(file, seed=7, invocations=False, interval=None).summary == printed(command, file, "--seed", 7)


def test_a_scenario_may_be_given_in_any_way() -> None:
    by_path = hearth.run(QUICKSTART).summary
    assert hearth.run(str(QUICKSTART)).summary == by_path
    assert hearth.run(json.loads(QUICKSTART.read_text())).summary == by_path
    assert hearth.run(hearth.Scenario.read(QUICKSTART)).summary == by_path
    with pytest.raises(
        hearth.ScenarioError, match="expected the path of a scenario, a dictionary or a hearth.Scenario, found 3"
    ):
        hearth.run(3)  # type: ignore[arg-type]


def test_values_policies_and_platforms_are_those_of_the_command(command: list[str]) -> None:
    ours = hearth.run(
        QUICKSTART,
        set={"service.container_startup_overhead": "2s", "functions[resize].time_limit": 10},
        policies={"keep_alive": "fixed,timeout=20min", "eviction.containers": {"use": "greedy-dual"}},
        seed=3,
    )
    theirs = printed(
        command, QUICKSTART, "--seed", 3,
        "--set", "service.container_startup_overhead=2s", "--set", "functions[resize].time_limit=10",
        "--policy", "keep_alive=fixed,timeout=20min", "--policy", "eviction.containers=greedy-dual",
    )  # fmt: skip
    assert ours.summary == theirs
    assert ours.summary != hearth.run(QUICKSTART, seed=3).summary


def test_a_platform_is_what_is_written_over(command: list[str], tmp_path: Path) -> None:
    scenario = hearth.Scenario("bare", seed=1)
    scenario.function("f", ram_limit="128MB", body=[{"sleep": 1}]).invoke("f", at=0)
    file = tmp_path / "bare.json"
    scenario.save(file)
    assert hearth.run(scenario, platform="knative").summary == printed(command, file, "--platform", "knative")


def test_seeds_draw_other_requests() -> None:
    scenario = generated(200)
    one, two = hearth.run(scenario, seed=1), hearth.run(scenario, seed=2)
    assert one.summary == hearth.run(scenario).summary
    assert one.summary != two.summary


def test_the_text_is_that_of_the_command(command: list[str]) -> None:
    theirs = subprocess.run([*command, "run", str(QUICKSTART)], capture_output=True, text=True, check=True).stdout

    def without_times(text: str) -> str:
        text = text[: text.index(" events in ")]
        return "\n".join(line.rstrip() for line in text.splitlines())

    assert without_times(str(hearth.run(QUICKSTART))) in without_times(theirs)


def test_threads_make_no_difference() -> None:
    scenario = generated(5_000)
    runs = [hearth.run(scenario, threads=threads) for threads in (1, 2, 3)]
    for run in runs[1:]:
        assert run.summary == runs[0].summary
        for name in ("invocations", "functions", "timeseries", "distributions"):
            assert getattr(run, name).to_dict() == getattr(runs[0], name).to_dict(), name


def test_what_is_not_kept_says_how_to_keep_it() -> None:
    run = hearth.run(QUICKSTART, invocations=False, interval=None)
    with pytest.raises(ValueError, match="invocations=True"):
        run.invocations  # noqa: B018
    with pytest.raises(ValueError, match="interval=60"):
        run.timeseries  # noqa: B018
    assert run.interval is None and run.attempts is run.instances is run.nodes is run.workflows is None
    share = hearth.run(generated(2_000), invocations=0.25)
    assert 300 < len(share.invocations) < 700


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"invocations": 2.0}, "invocations: expected True, False or a share from 0 to 1, found 2.0"),
        ({"interval": 0.0}, "interval: expected seconds above 0"),
        ({"interval": math.inf}, "interval: expected seconds above 0"),
        ({"interval": math.nan}, "interval: expected seconds above 0"),
        ({"threads": 0}, "threads: expected 1 or more, found 0"),
    ],
)
def test_wrong_arguments_are_said(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        hearth.run(QUICKSTART, **arguments)


def error_of(command: list[str], *arguments: object) -> str:
    run = subprocess.run([*command, "run", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    return run.stderr[run.stderr.index("error: ") + len("error: ") :].rstrip("\n")


def test_errors_have_the_text_of_the_command(command: list[str], tmp_path: Path) -> None:
    text = QUICKSTART.read_text()
    wrong = {
        "key.json": text.replace('"time_limit"', '"time_limt"', 1),
        "name.json": text.replace('"use": "fcfs"', '"use": "fcfz"'),
        "cut.json": text[:500],
        "value.json": text.replace('"cores": 4', '"cores": "many"', 1),
    }
    for name, broken in wrong.items():
        file = tmp_path / name
        file.write_text(broken)
        with pytest.raises(hearth.ScenarioError) as error:
            hearth.run(file)
        assert str(error.value) == error_of(command, file)
    with pytest.raises(hearth.ScenarioError) as error:
        hearth.run(tmp_path / "missing.json")
    assert str(error.value) == error_of(command, tmp_path / "missing.json")
    with pytest.raises(hearth.ScenarioError) as error:
        hearth.run(QUICKSTART, set={"service.nothing": 1})
    assert str(error.value) == error_of(command, QUICKSTART, "--set", "service.nothing=1")
    with pytest.raises(hearth.ScenarioError) as error:
        hearth.run(QUICKSTART, policies="keep_alive=fixd")
    assert str(error.value) == error_of(command, QUICKSTART, "--policy", "keep_alive=fixd")


def test_policies_in_python_are_called_and_can_be_looked_at() -> None:
    run = hearth.run(QUICKSTART, policies={"keep_alive": TenTimes(2.0), "node_allocation": LeastLoaded})
    kept = run.policy("keep_alive")
    assert isinstance(kept, TenTimes) and kept.factor == 2.0
    assert run.policy_times["keep_alive"][0] > 0
    with pytest.raises(KeyError, match="no policy in Python served as 'admission'"):
        run.policy("admission")


class FailsLate(hearth.NodeAllocation):
    def __init__(self) -> None:
        self.calls = 0

    def place(self, request: Any, cluster: Any) -> Any:
        self.calls += 1
        if self.calls == 10:
            raise ZeroDivisionError("ten is enough")
        return cluster.free_core.first()


def test_what_a_policy_raises_ends_the_run_and_what_came_of_it_is_there() -> None:
    with pytest.raises(hearth.PolicyError, match="ten is enough") as error:
        hearth.run(QUICKSTART, policies=FailsLate)
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    run: hearth.Run = error.value.run
    assert isinstance(run, hearth.Run) and 0 < run.summary["outcomes"]["completed"] < 34
    assert len(run.invocations) > 0
    with pytest.raises(hearth.PolicyError, match="ten is enough") as error:
        list(hearth.stream(QUICKSTART, policies=FailsLate))
    assert isinstance(error.value.run, hearth.Run)


def test_others_run_meanwhile() -> None:
    counted, over = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not over.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.monotonic()
    hearth.run(generated(200_000), invocations=False)
    took = time.monotonic() - begin
    over.set()
    thread.join()
    # It would be counted a few times at most if the interpreter were held.
    assert counted > 20 and counted > took * 20, (counted, took)


def test_notebooks_show_a_run_without_the_network() -> None:
    run = hearth.run(QUICKSTART)
    html = run._repr_html_()
    compared = hearth.compare(QUICKSTART, ["keep_alive=fixed", "keep_alive=no-keep-alive"], seeds=[1, 2])
    for shown in (html, compared._repr_html_()):
        assert "<svg" in shown or "<table" in shown
        assert "<script" not in shown.lower() and "@import" not in shown and "url(" not in shown
        assert not re.search(r"https?://(?!www\.w3\.org/)", shown)
        assert not re.search(r"\b(src|href)=", shown)
        assert "prefers-color-scheme: dark" in shown or "data-theme" in shown
    assert len(run.figures) > 2
    figure = run.figures[0]
    assert figure._repr_svg_().startswith("<svg") and run.figures.named(figure.name).title == figure.title
    with pytest.raises(KeyError, match="there is no figure 'nothing'"):
        run.figures.named("nothing")


# Ctrl-C.

LOOPS = """
    class Loops(hearth.KeepAlive):
        def on_idle(self, completion):
            os.write(1, b"under way\\n")
            while True:
                pass
    class LoopsInSetup(hearth.KeepAlive):
        def setup(self, context):
            os.write(1, b"under way\\n")
            while True:
                pass
        def on_idle(self, completion):
            return 1
    class Slow(hearth.KeepAlive):
        def on_idle(self, completion):
            os.write(1, b"under way\\n")
            return 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT")
@pytest.mark.parametrize(
    "call",
    [
        "os.write(1, b'under way\\n'); hearth.run(long)",
        "os.write(1, b'under way\\n'); list(hearth.stream(long))",
        "os.write(1, b'under way\\n'); hearth.compare(long, ['keep_alive=fixed', 'keep_alive=no-keep-alive'])",
        "hearth.run(short, policies=Loops)",
        "hearth.run(short, policies=LoopsInSetup)",
        "list(hearth.stream(short, policies=Loops))",
        "hearth.compare(short, {'a': Loops, 'b': Loops}, seeds=range(4), threads=2)",
        "hearth.compare(short, {'a': LoopsInSetup, 'b': Loops}, seeds=range(4), threads=2)",
    ],
)
def test_ctrl_c_ends_it(call: str) -> None:
    program = f"""
    import os
    import sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    import hearth
    from support import generated
    long, short = generated(100_000_000), generated(1_000)
    {LOOPS}
    {call}
    """
    # `textwrap` wants one depth.
    lines = [line[4:] if line.startswith("    ") else line for line in program.splitlines()]
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("\n".join(lines))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "under way\n"
        time.sleep(0.5)
        begin = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=20)
        took = time.monotonic() - begin
    finally:
        child.kill()
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert child.returncode in (-signal.SIGINT, 130, 1)
    assert took < 4, took
