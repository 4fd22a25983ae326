"""Invocations that come while a run goes on."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from pathlib import Path

import hearth
import pytest
from support import QUICKSTART, LeastLoaded, generated


@pytest.mark.parametrize("rows", [1, 7, 1000, 100_000])
def test_parts_are_the_table_of_a_run(rows: int) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    scenario = generated(500 if rows < 100 else 5_000)
    whole = pyarrow.table(hearth.run(scenario, seed=3).invocations)
    stream = hearth.stream(scenario, seed=3, rows=rows)
    parts = [pyarrow.table(part) for part in stream]
    assert [len(part) for part in parts[:-1]] == [rows] * (len(parts) - 1) and 0 < len(parts[-1]) <= rows
    together = pyarrow.concat_tables(parts)
    assert together.schema.equals(whole.schema, check_metadata=True)
    assert together.to_pydict() == whole.to_pydict()
    assert stream.run is not None
    assert stream.run.summary == hearth.run(scenario, seed=3, invocations=False).summary
    with pytest.raises(StopIteration):
        next(stream)


def test_policies_in_python_serve_a_stream() -> None:
    streamed = [len(part) for part in hearth.stream(QUICKSTART, policies=LeastLoaded, rows=10)]
    assert sum(streamed) == 34


PEAK = """
import sys
sys.path.insert(0, {tests!r})
import hearth
from support import generated
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
scenario = generated({requests})
if {keeps}:
    rows = len(hearth.run(scenario, interval=None).invocations)
else:
    rows = sum(len(part) for part in hearth.stream(scenario))
assert rows == {requests}
print(peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of Linux")
def test_memory_does_not_grow_with_requests() -> None:
    def peak(requests: int, keeps: bool) -> float:
        program = PEAK.format(tests=str(Path(__file__).parent), requests=requests, keeps=keeps)
        return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)

    # Some parts wait for who takes them.
    few, many, kept = peak(300_000, False), peak(900_000, False), peak(900_000, True)
    assert many - few < 10, (few, many, kept)
    assert kept - many > 30, (few, many, kept)


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="threads are asked of Linux")
@pytest.mark.parametrize("how", ["close", "with", "forget", "break"])
def test_who_stops_early_ends_the_run(how: str) -> None:
    before = threads()
    begin = time.monotonic()
    stream = hearth.stream(generated(100_000_000), rows=100)
    if how == "with":
        with stream:
            next(stream)
    else:
        next(stream)
        if how == "break":
            for _ in stream:
                break
        if how == "close":
            stream.close()
    if how in ("with", "close"):
        assert stream.run is None
        with pytest.raises(StopIteration):
            next(stream)
        stream.close()
    del stream
    gc.collect()
    while threads() > before and time.monotonic() - begin < 10:
        time.sleep(0.02)
    assert threads() <= before


def test_rows_are_one_or_more() -> None:
    with pytest.raises(ValueError, match="rows: expected 1 or more, found 0"):
        hearth.stream(QUICKSTART, rows=0)


def test_errors_come_with_the_first_part() -> None:
    with pytest.raises(hearth.ScenarioError, match="fixd"):
        next(hearth.stream(QUICKSTART, policies="keep_alive=fixd"))


def test_one_that_is_asked_by_two_threads_says_so() -> None:
    stream = hearth.stream(generated(50_000), rows=100)
    errors: list[str] = []
    rows: list[int] = []

    def take() -> None:
        try:
            rows.extend(len(part) for part in stream)
        except RuntimeError as error:
            errors.append(str(error))

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert sum(rows) == 50_000 or errors
    stream.close()
