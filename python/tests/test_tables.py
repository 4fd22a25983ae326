"""Tables: those of the command, in the hands of who takes them."""

from __future__ import annotations

import csv
import gc
import math
import subprocess
from pathlib import Path
from typing import Any

import hearth
import pytest
from support import PROJECT, QUICKSTART

TABLES = ("invocations", "functions", "timeseries", "distributions", "attempts", "instances", "nodes", "workflows")

OF_EXAMPLES = {
    "quickstart": {"invocations", "functions", "timeseries", "distributions"},
    "generated": {"invocations", "functions", "timeseries", "distributions"},
    "instances": {"invocations", "functions", "timeseries", "distributions", "instances"},
    "node-pools": {"invocations", "functions", "timeseries", "distributions", "instances", "nodes"},
    "workflows": {"invocations", "functions", "timeseries", "distributions", "attempts", "workflows"},
}


def value_of(text: str, like: Any) -> Any:
    """A cell of CSV as a value of the type of another."""
    if text == "":
        return like if like == "" else None
    if isinstance(like, bool):
        return {"true": True, "false": False}[text]
    if isinstance(like, int):
        return int(float(text)) if "." in text else int(text)
    return float(text) if isinstance(like, float) else text


def is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


@pytest.mark.parametrize("name", OF_EXAMPLES)
def test_tables_are_those_that_the_command_writes(command: list[str], name: str, tmp_path: Path) -> None:
    file, output = PROJECT / "examples" / f"{name}.json", tmp_path / "output"
    arguments = ["run", str(file), "--seed", "5", "--interval", "60", "--output", str(output)]
    # This one has 200 000 rows, and the other tables are what is new in it.
    sample = 0.1 if name == "node-pools" else 1.0
    arguments += ["--sample", str(sample)] if sample < 1 else []
    subprocess.run([*command, *arguments], capture_output=True, check=True)
    run = hearth.run(file, seed=5, interval=60, invocations=sample)
    tables = {table: getattr(run, table) for table in TABLES}
    assert {table for table, held in tables.items() if held is not None} == OF_EXAMPLES[name]
    for table, held in tables.items():
        if held is None:
            assert not (output / f"{table}.csv").exists()
            continue
        with (output / f"{table}.csv").open(newline="") as opened:
            head, *rows = csv.reader(opened)
        assert head == held.columns, table
        assert len(rows) == len(held) > 0, table
        columns = held.to_dict()
        for position, column in enumerate(head):
            ours = columns[column]
            like = next((value for value in ours if not is_nothing(value)), None)
            for row, value in zip(rows, ours):
                theirs = value_of(row[position], value if value == "" else like)
                if is_nothing(value):
                    assert theirs is None, (table, column, row)
                elif isinstance(value, float):
                    # CSV has as many digits as matter.
                    digits = len(row[position].partition(".")[2])
                    assert theirs is not None and abs(theirs - value) <= max(
                        0.51 * 10.0**-digits, 1e-12 * abs(value)
                    ), (table, column, row)
                else:
                    assert theirs == value, (table, column, row)


def test_the_schema_says_types_units_and_meanings() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    run = hearth.run(QUICKSTART)
    table = pyarrow.table(run.invocations)
    schema = table.schema
    assert schema.field("invocation").type == pyarrow.int64() and not schema.field("invocation").nullable
    assert schema.field("function").type == pyarrow.dictionary(pyarrow.int32(), pyarrow.utf8())
    for name in ("requested_at", "started_at", "finished_at"):
        assert schema.field(name).type == pyarrow.float64()
        assert schema.field(name).metadata[b"unit"] == b"s" and schema.field(name).metadata[b"description"]
        assert run.invocations.units[name] == "s" and run.invocations.descriptions[name]
    assert schema.field("started_at").nullable
    assert b"unit" not in (schema.field("function").metadata or {})
    assert run.invocations.units["function"] == ""
    series = run.timeseries
    assert series.units["time_s"] == "s" and series.units["used_memory_bytes"] == "bytes"
    assert pyarrow.table(series).schema.field("used_memory_bytes").type in (pyarrow.int64(), pyarrow.float64())


def test_nothing_is_null() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    # Nothing starts where no core is ever free before the horizon.
    run = hearth.run(QUICKSTART, set={"horizon": "46s"})
    table = pyarrow.table(run.invocations)
    started = table.column("started_at")
    assert 0 < started.null_count < len(table)
    ours = run.invocations["started_at"]
    assert [value.as_py() for value in started] == [None if math.isnan(value) else value for value in ours]
    nodes = table.column("node").to_pylist()
    assert None in nodes and nodes == run.invocations["node"].tolist()


@pytest.fixture(scope="module")
def workflows() -> hearth.Run:
    return hearth.run(PROJECT / "examples" / "workflows.json")


def test_polars_takes_tables(workflows: hearth.Run) -> None:
    polars = pytest.importorskip("polars")
    for name in TABLES:
        table = getattr(workflows, name)
        if table is None:
            continue
        frame = polars.DataFrame(table)
        assert frame.shape == (len(table), len(table.columns)) and frame.equals(table.to_polars())
        ours = table.to_dict()
        for column in frame.columns:
            theirs = frame[column].to_list()
            assert [is_nothing(a) for a in theirs] == [is_nothing(b) for b in ours[column]], (name, column)
            assert all(a == b for a, b in zip(theirs, ours[column]) if not is_nothing(a)), (name, column)


def test_duckdb_takes_tables(workflows: hearth.Run) -> None:
    duckdb = pytest.importorskip("duckdb")
    pyarrow = pytest.importorskip("pyarrow")
    invocations = pyarrow.table(workflows.invocations)
    [(count, cold)] = duckdb.sql("SELECT count(*), count(*) FILTER (start = 'cold') FROM invocations").fetchall()
    assert count == len(invocations) and cold == (workflows.invocations["start"] == "cold").sum()
    relation = duckdb.from_arrow(pyarrow.RecordBatchReader.from_stream(workflows.invocations))
    assert relation.aggregate("count(*)").fetchall() == [(count,)]


def test_pandas_gets_what_pyarrow_gives(workflows: hearth.Run) -> None:
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    for name in TABLES:
        table = getattr(workflows, name)
        if table is None:
            continue
        ours, theirs = table.to_pandas(), pyarrow.table(table).to_pandas()
        assert list(ours.columns) == list(theirs.columns) and len(ours) == len(theirs)
        assert ours.attrs["units"] == table.units
        for column in ours.columns:
            a = [None if value is pandas.NA or is_nothing(value) else value for value in ours[column].tolist()]
            b = [None if value is pandas.NA or is_nothing(value) else value for value in theirs[column].tolist()]
            assert a == b, (name, column)
        for column, kind in theirs.dtypes.items():
            if str(kind) == "category":
                assert str(ours[column].dtype) == "category"
                assert list(ours[column].cat.categories) == list(theirs[column].cat.categories)


def test_columns_are_views_that_outlive_the_table() -> None:
    numpy = pytest.importorskip("numpy")
    pyarrow = pytest.importorskip("pyarrow")
    run = hearth.run(PROJECT / "examples" / "generated.json")
    table = run.invocations
    arrow = pyarrow.table(table)
    for name in ("requested_at", "started_at", "invocation"):
        array = table[name]
        [chunk] = arrow.column(name).chunks
        assert array.__array_interface__["data"] == (chunk.buffers()[1].address, True), name
        assert not array.flags.writeable and not array.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
        assert table[name].__array_interface__["data"] == array.__array_interface__["data"]
    kept, copied = table["started_at"], table["started_at"].copy()
    del run, table, arrow, array, chunk
    gc.collect()
    others = [hearth.run(QUICKSTART) for _ in range(20)]
    assert numpy.array_equal(kept, copied) and len(others) == 20


def test_a_table_says_what_it_is() -> None:
    table = hearth.run(QUICKSTART).invocations
    assert len(table) == 34 and list(table) == table.columns and "function" in table and "nothing" not in table
    assert repr(table).startswith("Table of 34 rows: invocation, function, ")
    with pytest.raises(KeyError, match="there is no column .*nothing.*: there are invocation, function"):
        table["nothing"]
