"""Traces: read, drawn, described, written."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import hearth
import hearth.trace
import pytest
from conftest import PROJECT

CONSTANT: Any = {"arrivals": {"constant": {"rate": 2}}, "requests": 240, "run_time": {"constant": 3}}
ROWS = "arrival_s,function,duration_s\n1,b,2\n2.5,a,0.25\n4,b,1\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    return file


def test_rows_come_in_order_and_again_from_the_first_one(rows: Path) -> None:
    trace = hearth.trace.read(rows)
    expected = [(1.0, "b", 2.0), (2.5, "a", 0.25), (4.0, "b", 1.0)]
    assert list(trace) == expected and list(trace) == expected
    assert trace.head(2) == expected[:2] and trace.head(0) == []
    assert trace.head()[1].function == "a" and trace.head()[1].duration_s == 0.25
    assert [one.name for one in trace.functions] == ["b", "a"]
    assert repr(trace) == f"<hearth.Trace {str(rows)!r}: 2 functions>"


def test_two_readers_do_not_disturb_each_other() -> None:
    trace = hearth.trace.generate(CONSTANT)
    first, second = iter(trace), iter(trace)
    assert [next(first).arrival_s for _ in range(100)] == [next(second).arrival_s for _ in range(100)]
    sums = []
    threads = [threading.Thread(target=lambda: sums.append(sum(row.arrival_s for row in trace))) for _ in range(4)]
    [thread.start() for thread in threads]  # type: ignore[func-returns-value]
    [thread.join() for thread in threads]  # type: ignore[func-returns-value]
    assert len(sums) == 4 and len(set(sums)) == 1


@pytest.mark.parametrize("use", ["statistics", "table", "save"])
def test_reading_can_be_interrupted(use: str, tmp_path: Path) -> None:
    trace = hearth.trace.generate({**CONSTANT, "arrivals": {"constant": {"rate": 1e6}}, "requests": 1_000_000_000})
    arguments = [tmp_path / "rows.csv"] if use == "save" else []
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        getattr(trace, use)(*arguments)
    assert trace.head(1)[0].function == "0"


def test_a_table_has_all_rows(rows: Path) -> None:
    numpy = pytest.importorskip("numpy")
    rows.write_text("arrival_s,function\n1,b\n2.5,a\n4,b\n")
    trace = hearth.trace.read(rows)
    table = trace.table()
    assert (table["arrival_s"].tolist(), table["function"].tolist()) == ([1.0, 2.5, 4.0], ["b", "a", "b"])
    assert numpy.isnan(table["duration_s"]).all() and table.units == {"arrival_s": "s", "function": "", "duration_s": "s"}
    assert pytest.importorskip("pyarrow").table(trace).num_rows == 3
    assert [row.duration_s for row in trace] == [None] * 3


def test_what_counts_can_be_chosen(rows: Path) -> None:
    def read(**choice: Any) -> list[tuple[float, str]]:
        return [(row.arrival_s, row.function) for row in hearth.trace.read(rows, **choice)]

    assert read(from_first=True) == [(0.0, "b"), (1.5, "a"), (3.0, "b")]
    assert read(offset="500ms")[0] == (0.5, "b")
    assert read(minutes=0.05) == [(1.0, "b"), (2.5, "a")]
    assert read(most_popular=1) == [(1.0, "b"), (4.0, "b")]
    assert len(read(sample_apps=1)) in (1, 2)
    assert len(read(rate=3)) == 9
    drawn = [len(read(rate=0.5, seed=seed)) for seed in range(20)]
    assert len(set(drawn)) > 1 and drawn == [len(read(rate=0.5, seed=seed)) for seed in range(20)]
    rows.write_text("t,who,mem\n4000,b,128\n1000,a,256\n")
    columns = {"arrival": {"name": "t", "unit": "ms"}, "function": "who", "memory": {"name": "mem", "unit": "MB"}}
    assert read(columns=columns, sort=True) == [(1.0, "a"), (4.0, "b")]
    functions = hearth.trace.read(rows, columns=columns, sort=True, cold_start="1.5s").functions  # type: ignore[arg-type]
    assert [(one.name, one.ram, one.cold_start_s) for one in functions] == [
        ("b", 128_000_000, 1.5),
        ("a", 256_000_000, 1.5),
    ]


def test_statistics_are_numbers(rows: Path) -> None:
    statistics = hearth.trace.read(rows).statistics()
    assert (statistics["requests"], statistics["functions"], statistics["known_functions"]) == (3, 2, 2)
    assert (statistics["first_s"], statistics["last_s"], statistics["span_s"]) == (1.0, 4.0, 3.0)
    assert statistics["mean_rate"] == 1.0 and statistics["per_minute"] == [3]
    assert list(statistics["by_function"].items()) == [("b", 2), ("a", 1)]
    assert statistics["gap_s"] is not None and statistics["duration_s"] is not None
    assert statistics["gap_s"]["mean"] == 1.5 and statistics["duration_s"]["max"] == 2.0
    assert statistics["skipped_rows"] == 0
    rows.write_text("arrival_s,function\n")
    nothing = hearth.trace.read(rows).statistics()
    assert nothing["requests"] == 0 and nothing["mean_rate"] is None and nothing["gap_s"] is None


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst"])
def test_what_is_written_is_what_is_read(ending: str, tmp_path: Path) -> None:
    trace = hearth.trace.generate(PROJECT / "examples" / "generator.json", seed=7)
    file, functions = tmp_path / f"drawn.{ending}", tmp_path / "functions.csv"
    assert trace.save(file, functions=functions) == 5000
    again = hearth.trace.read(file)
    assert list(again) == list(trace)
    assert list(hearth.trace.generate(PROJECT / "examples" / "generator.json", seed=8)) != list(trace)
    assert functions.read_text().startswith("function,memory_mb,cold_start_s\n")
    with pytest.raises(hearth.ScenarioError, match="is there already: replace it with overwrite=True, or name another"):
        trace.save(file)
    assert trace.save(file, overwrite=True) == 5000
    with pytest.raises(hearth.ScenarioError, match="is what is read: name another file"):
        again.save(file, overwrite=True)
    with pytest.raises(hearth.HearthError, match="cannot be written"):
        trace.save(tmp_path / "missing" / "file.csv")


def test_a_generator_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "generator.json"
    file.write_text(json.dumps(CONSTANT))
    with pytest.raises(hearth.ScenarioError, match="is what is read"):
        hearth.trace.generate(file).save(file, overwrite=True)
    assert json.loads(file.read_text()) == CONSTANT


def test_what_is_wrong_names_its_place(rows: Path, tmp_path: Path) -> None:
    rows.write_text("arrival_s,function,duration_s\n1,a,1\nx,a,1\n2,a,1\n")
    trace = hearth.trace.read(rows)
    read = iter(trace)
    assert next(read).arrival_s == 1.0, "what comes before is given"
    for use in (read.__next__, trace.statistics, trace.table, lambda: trace.save(tmp_path / "other.csv")):
        with pytest.raises(hearth.ScenarioError, match=r"rows.csv:3, column arrival_s: "):
            use()
    lenient = hearth.trace.read(rows, lenient=True)
    assert len(list(lenient)) == 2 and lenient.statistics()["skipped_rows"] == 1
    with pytest.warns(UserWarning, match="1 rows were passed over"):
        lenient.table()
    for choice, message in [
        ({"rate": -1}, "rate: must be from 0 to 1e9"),
        ({"offset": "soon"}, "trace.offset: "),
        ({"offset": 1, "from_first": True}, "offset and from_first"),
        ({"format": "cvs"}, "trace.format: unknown variant `cvs`"),
        ({"columns": {"time": "t"}}, "trace.columns.time: unknown field `time`"),
        ({"format": "azure-functions-2021", "sort": True}, "sort: goes with the format"),
        ({"minutes": float("nan")}, "trace.select.minutes: found nan"),
    ]:
        with pytest.raises(hearth.ScenarioError) as error:
            hearth.trace.read(rows, **choice)  # type: ignore[arg-type]
        assert str(error.value).startswith(message), error.value
    with pytest.raises(hearth.ScenarioError, match=r"missing.csv: cannot be "):
        hearth.trace.read(tmp_path / "missing.csv")
    with pytest.raises(hearth.ScenarioError, match=r"generator.arrivals: unknown variant `poison`"):
        hearth.trace.generate({**CONSTANT, "arrivals": {"poison": {"rate": 1}}})
    with pytest.raises(hearth.ScenarioError, match=r"missing.json: cannot be read"):
        hearth.trace.generate(tmp_path / "missing.json")


def test_compressed_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(gzip.compress(ROWS.encode()))
    assert len(list(hearth.trace.read(file))) == 3


def test_the_command_writes_the_same(command: list[str], tmp_path: Path) -> None:
    generator = PROJECT / "examples" / "generator.json"
    subprocess.run(
        [*command, "trace", "generate", generator, "--seed", "3", "--output", tmp_path / "a.csv"], check=True
    )
    hearth.trace.generate(generator, seed=3).save(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
