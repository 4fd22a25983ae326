"""Traces: read or drawn, described, written, row by row or as columns.

>>> import hearth.trace
>>> requests = hearth.trace.generate(
...     {"arrivals": {"constant": {"rate": 2}}, "requests": 240, "run_time": {"constant": 3}}
... )
>>> requests.head(2)
[Row(arrival_s=0.5, function='0', duration_s=3.0), Row(arrival_s=1.0, function='0', duration_s=3.0)]
>>> requests.statistics()["per_minute"]
[119, 120, 1]
"""

from __future__ import annotations

import itertools
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from hearth import _hearth
from hearth._hearth import ScenarioError
from hearth._plain import plain, text_of
from hearth._tables import Table

if TYPE_CHECKING:
    from hearth._sections import Columns, Generator, TraceFormat

__all__ = ["Distribution", "Function", "Row", "Statistics", "Trace", "generate", "read"]


class Row(NamedTuple):
    """An invocation."""

    arrival_s: float
    """When it is requested."""
    function: str
    """Of which function, or which workflow."""
    duration_s: float | None
    """How long it runs; `None` if the trace does not tell, so that the function's body runs."""


class Function(NamedTuple):
    """A function of a trace."""

    name: str
    ram: int
    """RAM of a container in bytes; 0 if the trace does not tell."""
    cold_start_s: float | None
    """How long a container takes to start, if the trace tells."""


class Distribution(TypedDict):
    """Numbers in short."""

    mean: float
    p50: float
    p90: float
    p99: float
    max: float


class Statistics(TypedDict):
    """What `hearth trace stats` tells."""

    requests: int
    functions: int
    """Functions with at least one request."""
    known_functions: int
    first_s: float
    last_s: float
    span_s: float
    mean_rate: float | None
    """Requests a second; `None` if all come at one date."""
    per_minute: list[int]
    by_function: dict[str, int]
    """Requests of each function, the most popular first."""
    gap_s: Distribution | None
    """From one request to the next."""
    duration_s: Distribution | None
    """Of requests of which the trace tells it."""
    skipped_rows: int
    """Rows that were passed over because something was wrong with them."""


class Trace:
    """Invocations, read as a stream: each method begins at the first one, and memory does not grow with their number.

    `read` and `generate` make one.
    """

    def __init__(self, trace: _hearth.Trace, name: str) -> None:
        self._trace = trace
        self._name = name

    @property
    def functions(self) -> list[Function]:
        """All functions that there are, with what the trace tells of them."""
        return [Function(*one) for one in self._trace.functions()]

    def statistics(self) -> Statistics:
        """What is in it, read to the end."""
        told: dict[str, Any] = json.loads(self._trace.statistics())
        told["by_function"] = dict(told["by_function"])
        statistics: Statistics = told  # type: ignore[assignment]
        return statistics

    def save(
        self,
        path: str | os.PathLike[str],
        functions: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> int:
        """Writes rows `arrival_s,function,duration_s`, compressed if the name ends in `.gz` or `.zst`.

        Gives how many rows there are.

        Args:
            path: of the file.
            functions: a file for `function,memory_mb,cold_start_s`.
            overwrite: whether to replace a file that is there.

        Raises:
            hearth.ScenarioError: a row is wrong, or a file is there or cannot be written.
        """
        rows, skipped = self._trace.save(path, functions, overwrite)
        _report(skipped)
        return rows

    def head(self, n: int = 10) -> list[Row]:
        """The first rows, as tuples with names."""
        return list(itertools.islice(self, n))

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, self._trace.rows())

    def table(self) -> Table:
        """All rows as a table: `arrival_s`, `function` and `duration_s`, which is nothing where the trace does not tell it.

        >>> spec = {"arrivals": {"constant": {"rate": 2}}, "requests": 3, "run_time": {"constant": 3}}
        >>> generate(spec).table()["arrival_s"].tolist()
        [0.5, 1.0, 1.5]
        """
        columns, skipped = self._trace.table()
        _report(skipped)
        return Table(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's stream of the table (the PyCapsule interface): pandas, polars and pyarrow take a trace as it is."""
        return self.table().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        count = len(self._trace.functions())
        return f"<hearth.Trace {self._name!r}: {count} function{'s' * (count != 1)}>"


def read(
    path: str | os.PathLike[str],
    format: TraceFormat | None = None,
    columns: Columns | None = None,
    sort: bool = False,
    offset: float | str | None = None,
    from_first: bool = False,
    minutes: float | None = None,
    most_popular: int | None = None,
    sample_apps: int | None = None,
    rate: float | None = None,
    cold_start: float | str | None = None,
    lenient: bool = False,
    seed: int = 0,
) -> Trace:
    """Opens a trace: a file, plain, `.gz` or `.zst`, or the folder of the Azure Functions trace of 2019.

    Args:
        path: the file, or the folder.
        format: without it, the one that it looks like.
        columns: which column of rows holds what, as in
            `{"arrival": {"name": "ts_ms", "unit": "ms"}, "function": "func"}`.
        sort: sort the rows by time, in memory.
        offset: take this time, in seconds or with a unit, from the date of every request.
        from_first: take that of the first request from all.
        minutes: only the first ones.
        most_popular: only so many functions, those with the most requests.
        sample_apps: only so many applications, drawn at random.
        rate: so many times as many invocations, a fraction by chance.
        cold_start: how long containers of functions that the trace declares take to start, in seconds or with a unit.
        lenient: pass over rows that are wrong, and count them.
        seed: all random numbers are drawn from it.

    Raises:
        hearth.ScenarioError: an argument is wrong, or a row, when it is read: with file, line and column.

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "requests.csv"
    >>> _ = path.write_text("ts_ms,func\\n5000,resize\\n5500,login\\n")
    >>> columns = {"arrival": {"name": "ts_ms", "unit": "ms"}, "function": "func"}
    >>> read(path, columns=columns, from_first=True).head()
    [Row(arrival_s=0.0, function='resize', duration_s=None), Row(arrival_s=0.5, function='login', duration_s=None)]
    """
    if offset is not None and from_first:
        raise ScenarioError("offset and from_first: each says when time starts: keep one")
    select = {"minutes": minutes, "most_popular": most_popular, "sample_apps": sample_apps}
    section = {
        "path": path,
        "format": format,
        "columns": columns,
        "sort": sort,
        "offset": "first" if from_first else offset,
        "rate": rate,
        "cold_start": cold_start,
        "lenient": lenient,
        "select": {key: value for key, value in select.items() if value is not None},
    }
    said = {key: value for key, value in section.items() if value is not None}
    return Trace(_hearth.read_trace(text_of(plain(said, "trace")), seed), os.fspath(path))


def generate(spec: Generator | str | os.PathLike[str], seed: int = 0) -> Trace:
    """Draws a trace as a generator says.

    Args:
        spec: a section `workload.generate` of a scenario, or the path of a file with one.
        seed: of all random numbers.

    Raises:
        hearth.ScenarioError: something is wrong with the section: where, and what to do.

    >>> spec = {"arrivals": {"poisson": {"rate": 4}}, "requests": 5, "run_time": {"constant": 1}}
    >>> len(generate(spec, seed=3).head())
    5

    >>> generate({"arrivals": {"poisson": {"rate": 4}}, "requests": 5})
    Traceback (most recent call last):
    hearth.ScenarioError: generator: missing field `run_time`: here are no functions whose bodies could run
    """
    if isinstance(spec, (str, os.PathLike)):
        file = os.fspath(spec)
        try:
            text = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
        return Trace(_hearth.generate_trace(text, file, file, seed), file)
    return Trace(_hearth.generate_trace(text_of(plain(spec, "generator")), "generator", None, seed), "generator")


def _report(skipped: int) -> None:
    if skipped:
        warnings.warn(f"{skipped} rows were passed over", stacklevel=3)
