"""Many runs of one scenario, and what they come to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from hearth import _hearth, policy
from hearth._figures import Figure, Figures
from hearth._hearth import PolicyError, ScenarioError, SimulationError
from hearth._plain import plain, text_of
from hearth._policies import Chosen, Policies
from hearth._progress import Progress
from hearth._scenarios import ScenarioLike, Setting, assignments, source
from hearth._tables import Table

Alternatives = Union[Mapping[str, Policies], Sequence[Union[str, type[policy.Policy], policy.Policy]]]
"""Policies that are compared: by labels, or a list of texts as the command takes them and of policies in Python."""

Varied = Mapping[str, Union[Sequence[Any], Mapping[str, Any]]]
"""What varies: by path in the scenario its values, or its values by labels."""

_Axis = tuple[str, list[tuple[str, list[Setting]]]]


class Comparison:
    """What has come of many runs: means over the seeds with their intervals, and differences seed by seed.

    `hearth.compare` and `hearth.sweep` make one. A notebook shows a table and figures, `print` the tables.

    >>> import hearth
    >>> compared = hearth.compare("examples/quickstart.json", ["keep_alive=fixed", "keep_alive=no-keep-alive"])
    >>> compared.runs["cold_starts"].tolist()
    [15.0, 34.0]
    """

    def __init__(self, outcome: _hearth.SweepOutcome, warnings: list[str]) -> None:
        self._outcome = outcome
        self.warnings: list[str] = [*warnings, *outcome.warnings]
        """What one should know before the numbers are believed."""

    @property
    def runs(self) -> Table:
        """One row a run: what varied, the seed, and all numbers of its summary; quantities are in base units."""
        return Table(self._outcome.runs())

    def table(self, metrics: Iterable[str] = ()) -> Table:
        """One row a combination of values and a number: its mean, and the interval that holds the true mean with 95 %.

        Args:
            metrics: names of numbers, as the columns of `runs`; without any, all.

        Raises:
            hearth.ScenarioError: there is no such number.

        >>> import hearth
        >>> swept = hearth.sweep("examples/quickstart.json", vary={"service.container_startup_overhead": ["1s", "4s"]})
        >>> swept.table(["latency_mean"])["mean"].round(2).tolist()
        [10.23, 11.6]
        """
        return Table(self._outcome.comparison(list(metrics), False))

    def differences(self, metrics: Iterable[str] = ()) -> Table:
        """The rows of `table` that are compared to a baseline: how much more there is than there, seed by seed.

        `comparable` says whether the two are over the same requests. An interval that holds no zero is not luck.

        >>> import hearth
        >>> compared = hearth.compare("examples/quickstart.json", ["keep_alive=fixed", "keep_alive=no-keep-alive"])
        >>> compared.differences(["cold_starts"])["difference"].tolist()
        [19.0]
        """
        return Table(self._outcome.comparison(list(metrics), True))

    @property
    def figures(self) -> Figures:
        """The figures that `hearth report` draws of a sweep, as SVG."""
        return Figures(Figure(*picture) for picture in self._outcome.pictures())

    def plot(self) -> Figures:
        """The `figures`, for who looks for this word."""
        return self.figures

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `hearth compare --json` prints it."""
        value: dict[str, Any] = json.loads(self.to_json())
        return value

    def to_json(self) -> str:
        """All of it, as the text that `hearth compare --json` prints."""
        return self._outcome.json()

    def text(self, metrics: Iterable[str] = ()) -> str:
        """The tables that `hearth compare` prints, of these numbers or of the usual ones."""
        return self._outcome.text(list(metrics))

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self._outcome.html()


def _label_of(choice: Any) -> str:
    return choice if isinstance(choice, str) else policy.name_of(choice)


def _policy_axis(policies: Alternatives, chosen: Chosen) -> _Axis:
    if isinstance(policies, str):
        raise ScenarioError(
            f"policies: found the text {policies!r}, expected several policies: a list, or a dictionary by labels"
        )
    by_label: Mapping[str, Policies]
    by_label = policies if isinstance(policies, Mapping) else {_label_of(choice): choice for choice in policies}
    if len(by_label) < len(policies):
        raise ScenarioError("policies: two of them have one name: give them labels in a dictionary")
    return "policy", [(label, chosen.settings(choice)) for label, choice in by_label.items()]


def _varied_axis(path: str, values: Sequence[Any] | Mapping[str, Any]) -> _Axis:
    if isinstance(values, (str, bytes)) or not isinstance(values, (Mapping, Iterable)):
        raise ScenarioError(
            f"vary {path!r}: found {values!r}, expected a list of values, or a dictionary of values by labels"
        )
    if isinstance(values, Mapping):
        labelled = [(label, plain(value, f"vary {path!r}")) for label, value in values.items()]
    else:
        listed = [plain(value, f"vary {path!r}") for value in values]
        labelled = [(value if isinstance(value, str) else text_of(value), value) for value in listed]
    labels = [label for label, _ in labelled]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ScenarioError(f"vary {path!r}: {twice!r} is there twice: give values labels in a dictionary")
    return path, [(label, [(False, f"{path}={text_of(value)}")]) for label, value in labelled]


def _run(
    scenario: ScenarioLike,
    axes: list[_Axis],
    chosen: Chosen,
    settings: list[Setting],
    seeds: Iterable[int] | None,
    baseline: str | None,
    executor: Any,
    threads: int | None,
    progress: bool | None,
) -> Comparison:
    from_here = source(scenario, settings)
    sweep = _hearth.Sweep(from_here, chosen.given, axes, [] if seeds is None else list(seeds), baseline)
    runs = sweep.runs()
    bar = Progress(progress)

    def show(ended: int, under_way: float) -> None:
        bar.show(min((ended + under_way) / max(len(runs), 1), 1.0), f"{ended} of {len(runs)} runs")

    try:
        is_raised = False
        if executor is None:
            summaries = sweep.run(threads, show)
        else:
            from hearth import _executors

            work = _executors.Work.of(from_here, sweep, chosen.given)
            summaries, is_raised = _executors.run(work, len(runs), executor, lambda ended: show(ended, 0.0))
    finally:
        bar.close()
    comparison = Comparison(sweep.outcome(summaries), sweep.warnings)
    failed = [(run, text) for run, (is_well, text) in zip(runs, summaries) if not is_well]
    if failed:
        (_, values, seed), text = failed[0]
        where = " ".join([*(f"{name}={label}" for name, label in values), f"seed={seed}"])
        told = f"{len(failed)} of {len(runs)} runs failed, the first with {where}: {text}"
        cause = sweep.raised()
        error = PolicyError(told) if is_raised or cause is not None else SimulationError(told)
        error.comparison = comparison
        raise error from cause
    return comparison


def compare(
    scenario: ScenarioLike,
    policies: Alternatives,
    *,
    seeds: Iterable[int] | None = None,
    baseline: str | None = None,
    set: Mapping[str, Any] | None = None,
    platform: str | None = None,
    executor: Any = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Compares policies on one scenario: all meet the same requests, for each seed.

    Args:
        scenario: the path of a file, a dictionary, or a `hearth.Scenario`.
        policies: by label, as in ``{"lru": "eviction.containers=lru", "mine": MyPolicy}``; each of them is what
            `hearth.run` takes.
        seeds: without them, that of the scenario.
        baseline: the label that the others are compared to; without it, the first.
        set: values of the scenario by their paths.
        platform: the platform that the scenario is written over.
        executor: who does the runs instead of this machine's cores: one of `concurrent.futures`, a
            `dask.distributed.Client`, or the module `ray`. The same comes of it, byte for byte.
        threads: how many runs at once, without an executor; without it, one for each core.
        progress: whether to show how far it is; without it, in terminals and notebooks.

    Raises:
        hearth.ScenarioError: something is wrong with the scenario or an argument; nothing has run.
        hearth.SimulationError: some runs failed; ``error.comparison`` is what came of the others.
        hearth.PolicyError: so it is, and a policy in Python raised what is the cause.

    >>> import hearth
    >>> kept = hearth.compare(
    ...     "examples/quickstart.json",
    ...     {"two minutes": "keep_alive=fixed", "not at all": "keep_alive=no-keep-alive"},
    ...     seeds=range(3),
    ... )
    >>> len(kept.runs), kept.differences(["cold_start_ratio"])["setting"].tolist()
    (6, ['policy=not at all'])
    """
    chosen = Chosen()
    axis = _policy_axis(policies, chosen)
    if len(axis[1]) < 2 and baseline is None:
        raise ScenarioError("policies: one alone is compared to nothing: give two or more, or call hearth.sweep")
    first = axis[1][0][0]
    before, after = assignments(set, platform)
    return _run(scenario, [axis], chosen, [*before, *after], seeds, baseline or first, executor, threads, progress)


def sweep(
    scenario: ScenarioLike,
    *,
    policies: Alternatives | None = None,
    vary: Varied | None = None,
    seeds: Iterable[int] | None = None,
    baseline: str | None = None,
    set: Mapping[str, Any] | None = None,
    platform: str | None = None,
    executor: Any = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Runs a scenario with every combination of some policies, values and seeds.

    Args:
        scenario: as for `hearth.compare`.
        policies: as for `hearth.compare`; without them, those of the scenario.
        vary: values by their paths in the scenario, as in ``{"platform.hosts[node].ram": ["8GB", "16GB"]}``, or by
            labels, as in ``{"platform.hosts[node].ram": {"small": "8GB", "large": "16GB"}}``.
        seeds: as for `hearth.compare`.
        baseline: what the others are compared to: the label of a policy, or ``"path=value"``; without it nothing is.
        set: as for `hearth.compare`.
        platform: as for `hearth.compare`.
        executor: as for `hearth.compare`.
        threads: as for `hearth.compare`.
        progress: as for `hearth.compare`.

    Raises:
        hearth.ScenarioError: as for `hearth.compare`.
        hearth.SimulationError: as for `hearth.compare`.
        hearth.PolicyError: as for `hearth.compare`.

    >>> import hearth
    >>> swept = hearth.sweep("examples/quickstart.json", vary={"service.container_startup_overhead": ["1s", "4s"]})
    >>> swept.runs["latency_mean"].round(2).tolist()
    [10.23, 11.6]
    """
    chosen = Chosen()
    axes = [] if policies is None else [_policy_axis(policies, chosen)]
    axes += [_varied_axis(os.fspath(path), values) for path, values in (vary or {}).items()]
    before, after = assignments(set, platform)
    return _run(scenario, axes, chosen, [*before, *after], seeds, baseline, executor, threads, progress)
