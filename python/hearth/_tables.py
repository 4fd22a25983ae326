"""Tables of results, which pandas, polars, pyarrow and duckdb take as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    import pandas
    import polars

    from hearth._hearth import Columns


class Table:
    """A table of results, held in memory by column.

    Whoever speaks Arrow takes it as it is, without a copy: ``pyarrow.table(requests)``, ``polars.DataFrame(requests)``,
    ``duckdb.sql("SELECT count(*) FROM requests")``, where ``requests = run.invocations``. Times are seconds, amounts
    are bytes; each column says its unit in `units` and in the metadata of its Arrow field.

    >>> import hearth
    >>> requests = hearth.run("examples/quickstart.json").invocations
    >>> requests.columns[:4]
    ['invocation', 'function', 'requested_at', 'submitted_at']
    >>> requests["function"][:3].tolist(), requests.units["requested_at"]
    (['resize', 'resize', 'find-faces'], 's')
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._columns.names

    @property
    def units(self) -> dict[str, str]:
        """By column: its unit, as ``"s"`` or ``"bytes"``; empty for mere numbers and text."""
        return self._columns.units

    @property
    def descriptions(self) -> dict[str, str]:
        """By column: what it says."""
        return self._columns.descriptions

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's stream of the table (the PyCapsule interface), which libraries call."""
        return self._columns.__arrow_c_stream__(requested_schema)

    def __getitem__(self, name: str) -> numpy.ndarray[Any, Any]:
        """The values of a column as an array of NumPy: numbers over the memory of the table, text as objects.

        What is missing is NaN among numbers and None elsewhere. Raises `KeyError` if there is no such column.
        """
        import numpy

        kind, values, names, missing = self._columns.values(name)
        if kind == "name":
            texts = numpy.array([*names, None], dtype=object)
            named: numpy.ndarray[Any, Any] = texts[numpy.asarray(values)]
            return named
        if kind == "text":
            array = numpy.full(len(self), None, dtype=object)
            rows, texts = values
            array[rows] = texts
            return array
        array = numpy.frombuffer(values, dtype=bool) if kind == "flag" else numpy.asarray(values)
        if missing is None:
            return array
        if kind == "flag":
            array = array.astype(object)
            array[numpy.frombuffer(missing, dtype=bool)] = None
            return array
        return numpy.where(numpy.frombuffer(missing, dtype=bool), numpy.nan, array)

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame of pandas. Numbers are not copied; names of functions and nodes are categories.

        The units are in ``frame.attrs["units"]``.

        >>> import hearth
        >>> frame = hearth.run("examples/quickstart.json").invocations.to_pandas()
        >>> (frame.finished_at - frame.requested_at).max().round(2)
        np.float64(47.75)
        """
        import numpy
        import pandas

        columns: dict[str, Any] = {}
        for name in self.columns:
            kind, values, names, missing = self._columns.values(name)
            if kind == "name":
                codes = numpy.asarray(values)
                columns[name] = pandas.Categorical.from_codes(codes, categories=names, validate=False)
            elif kind == "number":
                columns[name] = self[name]
            elif kind == "text":
                # As it is: what pandas takes for strings it would look at one by one.
                columns[name] = pandas.Series(self[name], dtype=object, copy=False)
            else:
                array = numpy.frombuffer(values, dtype=bool) if kind == "flag" else numpy.asarray(values)
                if missing is not None:
                    mask = numpy.frombuffer(missing, dtype=bool)
                    masked = pandas.arrays.BooleanArray if kind == "flag" else pandas.arrays.IntegerArray
                    columns[name] = masked(array, mask)
                else:
                    columns[name] = array
        frame = pandas.DataFrame(columns, copy=False)
        frame.attrs["units"] = self.units
        return frame

    def to_polars(self) -> polars.DataFrame:
        """A data frame of polars, over the memory of the table."""
        import polars

        return polars.DataFrame(self)

    def to_dict(self) -> dict[str, list[Any]]:
        """Lists of plain values by column, for who has none of these libraries but NumPy.

        >>> import hearth
        >>> hearth.run("examples/quickstart.json").functions.to_dict()["function"]
        ['resize', 'find-faces', 'report']
        """
        return {name: self[name].tolist() for name in self.columns}

    def __repr__(self) -> str:
        return f"Table of {len(self)} rows: {', '.join(self.columns)}"
