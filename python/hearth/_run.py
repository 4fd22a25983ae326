"""One run, and what comes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hearth import _hearth
from hearth._figures import Figure, Figures
from hearth._hearth import SimulationError
from hearth._policies import Chosen, Policies
from hearth._progress import Progress
from hearth._scenarios import ScenarioLike, assignments, source
from hearth._tables import Table

if TYPE_CHECKING:
    from hearth import policy

_MOST_ROWS = 10_000


class Run:
    """What has come of a run: its summary, its tables, its figures.

    A notebook shows text and figures, `print` the text. Tables are held in memory; times in them are seconds, amounts bytes.

    >>> import hearth
    >>> run = hearth.run("examples/quickstart.json")
    >>> run
    quickstart: 8.34 min simulated on 3 nodes, seed 42
    ...
    >>> run.summary["outcomes"]["completed"]
    32
    >>> [len(run.invocations), len(run.functions), run.attempts]
    [34, 3, None]
    """

    def __init__(self, result: _hearth.RunResult) -> None:
        self._result = result
        self.summary: dict[str, Any] = json.loads(result.summary)
        """Everything that was counted, as in ``summary.json``; docs/scenario.md says what each number is."""

    def _table(self, name: str) -> Table | None:
        columns = self._result.table(name)
        return None if columns is None else Table(columns)

    @property
    def invocations(self) -> Table:
        """One row an invocation, in the order of requests.

        Raises `ValueError` for a run with ``invocations=False``.

        >>> import hearth
        >>> run = hearth.run("examples/quickstart.json")
        >>> run.invocations["started_at"][:2].tolist()
        [5.026647407, 5.026647407]
        """
        table = self._table("invocations")
        if table is None:
            raise ValueError("the invocations of this run were not kept: run it with invocations=True")
        return table

    @property
    def functions(self) -> Table:
        """One row a function: counts, and distributions of latency, waiting, slowdown and the delay of cold starts."""
        table = self._table("functions")
        assert table is not None
        return table

    @property
    def timeseries(self) -> Table:
        """One row an interval: what came in it, and how things stood at its end.

        Raises `ValueError` for a run with ``interval=None``.
        """
        table = self._table("timeseries")
        if table is None:
            raise ValueError("this run has no time series: run it with interval=60")
        return table

    @property
    def distributions(self) -> Table:
        """How times and ratios are distributed: one row a share of all, and the values that it does not exceed."""
        table = self._table("distributions")
        assert table is not None
        return table

    @property
    def causes(self) -> Table | None:
        """What the latency of each invocation is made of, in seconds: its causes add up to `latency`. None unless asked for.

        >>> import hearth
        >>> causes = hearth.run("examples/quickstart.json", explain=True).causes.to_pandas()
        >>> parts = causes.loc[:, "head_down":"hedge_delay"]
        >>> bool((abs(parts.sum(axis=1) - causes["latency"]) < 1e-9).all())
        True
        """
        return self._table("causes")

    @property
    def cause_totals(self) -> Table | None:
        """Causes summed up over all invocations, and by function, node and time; None unless asked for."""
        return self._table("cause_totals")

    @property
    def attempts(self) -> Table | None:
        """One row an attempt, if invocations are tried again or hedged; otherwise None."""
        return self._table("attempts")

    @property
    def instances(self) -> Table | None:
        """One row an instance, if functions are served by such; otherwise None."""
        return self._table("instances")

    @property
    def nodes(self) -> Table | None:
        """One row a time that a node of a pool was on, if nodes come and go; otherwise None."""
        return self._table("nodes")

    @property
    def workflows(self) -> Table | None:
        """One row a run of a workflow, if there are workflows; otherwise None."""
        return self._table("workflows")

    @property
    def interval(self) -> float | None:
        """Seconds from one row of the time series to the next, maybe more than were asked for; None without one."""
        return self._result.interval_s

    @property
    def warnings(self) -> list[str]:
        """What is right in the scenario, but likely not meant."""
        return self._result.warnings

    @property
    def wall_seconds(self) -> float:
        """How many seconds of real time the simulation took."""
        return self._result.wall_s

    @property
    def policy_times(self) -> dict[str, tuple[int, float]]:
        """By slot: how often its policies were called, and how many seconds of real time that took.

        >>> import hearth
        >>> calls, seconds = hearth.run("examples/quickstart.json").policy_times["keep_alive"]
        >>> calls
        36
        """
        return {slot: (calls, seconds) for slot, calls, seconds in self._result.policy_times}

    def policy(self, slot: str, node: int | None = None) -> policy.Policy:
        """The policy in Python that served in a slot, as it is now.

        For eviction it is that of a node, by its number, or with None the head's. Raises `KeyError` if none did.

        >>> import hearth
        >>> class Counts(hearth.KeepAlive):
        ...     count = 0
        ...     def on_idle(self, completion):
        ...         self.count += 1
        ...         return 60
        >>> hearth.run("examples/quickstart.json", policies=Counts).policy("keep_alive").count
        34
        """
        for of_slot, of_node, served in self._result.instances():
            if of_slot == slot and of_node == node:
                one: policy.Policy = served
                return one
        raise KeyError(f"no policy in Python served as {slot!r}" + ("" if node is None else f" on node {node}"))

    @property
    def figures(self) -> Figures:
        """The figures that `hearth report` draws, as SVG.

        >>> import hearth
        >>> hearth.run("examples/quickstart.json").figures[0]
        Figure('latency-cdf', 'Latency, waiting and delay of cold starts')
        """
        return Figures(Figure(*picture) for picture in self._result.pictures())

    def plot(self) -> Figures:
        """The `figures`, for who looks for this word."""
        return self.figures

    def __str__(self) -> str:
        return self._result.text

    def __repr__(self) -> str:
        text: str = self._result.text
        return text

    def _repr_html_(self) -> str:
        return self._result.html()


def _options(
    invocations: bool | float, interval: float | None, threads: int | None, explain: bool = False
) -> dict[str, Any]:
    share = float(invocations)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"invocations: expected True, False or a share from 0 to 1, found {invocations!r}")
    if interval is not None and not 0.0 < interval < math.inf:
        raise ValueError(f"interval: expected seconds above 0, or None for no time series, found {interval!r}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads: expected 1 or more, found {threads}")
    options = {"sample": share, "interval_s": interval, "most_rows": _MOST_ROWS, "threads": threads}
    return {**options, "explain": explain, "copies": []}


def run(
    scenario: ScenarioLike,
    *,
    policies: Policies | None = None,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    platform: str | None = None,
    invocations: bool | float = True,
    interval: float | None = 60.0,
    threads: int | None = None,
    explain: bool = False,
    progress: bool | None = None,
) -> Run:
    """Runs a scenario.

    Args:
        scenario: the path of a file, a dictionary, or a `hearth.Scenario`.
        policies: by slot, as in ``{"keep_alive": "hybrid-histogram"}``: a name (with parameters, as in
            ``"fixed,timeout=20min"``), the path of a library, a section as in scenarios, or a class or an instance in
            Python. `eviction` stands for all of its slots. One alone is a class or an instance, which serves in the
            slots of its kinds, or a text as ``"keep_alive=fixed"``.
        seed: of all random numbers, instead of the scenario's.
        set: values of the scenario by their paths, as in ``{"platform.hosts[node].ram": "8GB"}``.
        platform: the platform that the scenario is written over, as in ``"knative"``.
        invocations: whether to keep the table of invocations, or which share of them.
        interval: how many seconds from one row of the time series to the next, which doubles beyond 10 000 rows; None
            leaves it out.
        threads: at most 3; the results are the same with any number.
        explain: whether to say what latencies are made of, in `causes` and `cause_totals`.
        progress: whether to show how far it is; without it, in terminals and notebooks.

    Raises:
        hearth.ScenarioError: something is wrong with the scenario or an argument: where, and what to do.
        hearth.PolicyError: a policy has failed; ``error.run`` is what had come of the run by then.
        hearth.SimulationError: the simulation could not go on; ``error.run`` as well.
        ValueError: `invocations` is no share, or `interval` no time.
        KeyboardInterrupt: Ctrl-C.

    >>> import hearth
    >>> run = hearth.run("examples/quickstart.json", policies={"keep_alive": "no-keep-alive"})
    >>> run.summary["warm_starts"]
    0
    >>> run.invocations.columns[:3]
    ['invocation', 'function', 'requested_at']
    """
    chosen = Chosen()
    before, after = assignments(set, platform, seed)
    settings = [*before, *chosen.settings(policies), *after]
    options = _options(invocations, interval, threads, explain)
    bar = Progress(progress)
    try:
        shows = bar.run if bar.is_shown else None
        return Run(_hearth.run(source(scenario, settings), chosen.given, options, shows))
    except SimulationError as error:
        _with_run(error)
        raise
    finally:
        bar.close()


def _with_run(error: SimulationError) -> None:
    """Gives an error what had come of the run, as people take it."""
    result = getattr(error, "run", None)
    if isinstance(result, _hearth.RunResult):
        error.run = Run(result)


class Stream:
    """The invocations of a run, which come in tables as it goes on. Memory does not grow with their number.

    `hearth.stream` makes one. The run waits until a table is taken. Leaving a ``with`` block ends it.
    """

    def __init__(self, stream: _hearth.Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Table]:
        return self

    def __next__(self) -> Table:
        try:
            return Table(next(self._stream))
        except SimulationError as error:
            _with_run(error)
            raise

    @property
    def run(self) -> Run | None:
        """What has come of the run, once all of its invocations have been taken; None before, and if it was closed."""
        return None if self._stream.run is None else Run(self._stream.run)

    def close(self) -> None:
        """Ends the run before its end."""
        self._stream.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stream(
    scenario: ScenarioLike,
    *,
    rows: int = 65_536,
    policies: Policies | None = None,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,
    platform: str | None = None,
    threads: int | None = None,
) -> Stream:
    """Runs a scenario, and gives its invocations while it runs, in tables of so many rows.

    Args:
        scenario: as for `hearth.run`.
        rows: how many rows a table has; the last one may have fewer.
        policies: as for `hearth.run`.
        seed: as for `hearth.run`.
        set: as for `hearth.run`.
        platform: as for `hearth.run`.
        threads: as for `hearth.run`.

    Raises:
        hearth.ScenarioError: something is wrong with the scenario or an argument.
        hearth.SimulationError: while tables are taken: the simulation could not go on.
        ValueError: `rows` is less than 1.

    >>> import hearth
    >>> stream = hearth.stream("examples/quickstart.json", rows=10)
    >>> [len(part) for part in stream]
    [10, 10, 10, 4]
    >>> stream.run.summary["invocations"]
    34
    """
    if rows < 1:
        raise ValueError(f"rows: expected 1 or more, found {rows}")
    chosen = Chosen()
    before, after = assignments(set, platform, seed)
    settings = [*before, *chosen.settings(policies), *after]
    return Stream(_hearth.stream(source(scenario, settings), chosen.given, _options(True, None, threads), rows))
