"""What there is: policies, platforms by name, and the schema of scenarios."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hearth import _hearth
from hearth._hearth import ScenarioError

KINDS = ("node_allocation", "eviction", "admission", "keep_alive", "autoscaling")
"""The kinds of policy."""


@dataclass(frozen=True)
class Parameter:
    """What can be set of a policy."""

    name: str
    kind: str
    """`duration`, `bytes`, `integer`, `number`, `choice`, `flag`, `text`, or a list: `texts`, `numbers`, `durations`."""
    default: Any
    """As a scenario would give it; `None` of a whole number is no limit."""
    description: str
    takes: str
    """Which values are right, in words."""
    unit: str = ""
    min: float | None = None
    max: float | None = None
    words: tuple[str, ...] = ()
    """The words of a `choice`."""


@dataclass(frozen=True)
class Policy:
    """A policy, built in or in a compiled library."""

    name: str
    kinds: tuple[str, ...]
    """One of several kinds is a controller."""
    slots: tuple[str, ...]
    """Where it may stand under `policies` in a scenario."""
    version: str
    description: str
    library: str | None
    """The file that it is in; `None` if it is built in."""
    parameters: tuple[Parameter, ...]

    def __repr__(self) -> str:
        parameters = ", ".join(f"{one.name}={one.default}" for one in self.parameters)
        return f"<policy {self.name!r} ({', '.join(self.kinds)}): {parameters or 'no parameters'}>"

    def _repr_html_(self) -> str:
        rows = [(one.name, one.default, one.unit, one.takes, one.description) for one in self.parameters]
        head = f"<p><b>{html.escape(self.name)}</b> {html.escape(self.version)}: {html.escape(self.description)}</p>"
        return head + _table(("parameter", "default", "unit", "takes", "what it says"), rows)


@dataclass(frozen=True)
class Origin:
    """Where settings of a platform come from."""

    kind: str
    """How they have been found: `documented`, `measured`, `fitted`, `assumed` or `chosen`."""
    from_: str
    """Who says or has measured it, and where."""


@dataclass(frozen=True)
class Setting:
    """A setting of a platform."""

    path: str
    """Its path in a scenario, as `--set` takes it."""
    value: Any
    origin: Origin | None


@dataclass(frozen=True)
class Platform:
    """A platform by name, over which scenarios are written: `hearth.Scenario("mine", base="knative")`."""

    name: str
    title: str
    rules: str
    scenario: dict[str, Any]
    """The part of a scenario that it is."""
    settings: tuple[Setting, ...]
    """All that it says, each with where it comes from."""
    missing: tuple[str, ...]
    """What the platform does and this leaves out."""

    def __repr__(self) -> str:
        return f"<platform {self.name!r}: {self.title}>"

    def _repr_html_(self) -> str:
        head = f"<p><b>{html.escape(self.name)}</b>: {html.escape(self.title)}. {html.escape(self.rules)}</p>"
        rows = [
            (one.path, one.value, one.origin.kind if one.origin else "", one.origin.from_ if one.origin else "")
            for one in self.settings
        ]
        missing = "".join(f"<li>{html.escape(one)}</li>" for one in self.missing)
        return (
            head + _table(("setting", "value", "found by", "from"), rows) + f"<p>What is missing</p><ul>{missing}</ul>"
        )


_Item = TypeVar("_Item", Policy, Platform)


class Listing(Generic[_Item]):
    """Policies or platforms in order, of which one is found by its position or its name; a notebook shows them as a table."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self._items: tuple[_Item, ...] = tuple(items)

    def __iter__(self) -> Iterator[_Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, at: int | str) -> _Item:
        if not isinstance(at, str):
            return self._items[at]
        for one in self._items:
            if one.name == at:
                return one
        raise KeyError(f"{at!r}: there are {', '.join(one.name for one in self._items)}")

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._items))}]"

    def _repr_html_(self) -> str:
        rows = [
            (one.name, ", ".join(one.kinds), one.description)
            if isinstance(one, Policy)
            else (one.name, one.title, one.rules)
            for one in self
        ]
        is_of_policies = bool(self._items) and isinstance(self._items[0], Policy)
        return _table(("name", "kinds", "what it does") if is_of_policies else ("name", "what it is", "rules"), rows)


def policies(
    kind: str | None = None,
    *,
    libraries: Iterable[str | os.PathLike[str]] = (),
    plugin_dirs: Iterable[str | os.PathLike[str]] = (),
) -> Listing[Policy]:
    """The policies there are: built in, in these compiled libraries, and in plugin folders (`HEARTH_PLUGIN_PATH`, too).

    Args:
        kind: one of `KINDS`; without it, all.
        libraries: paths of compiled ones, which are opened in this process.
        plugin_dirs: folders of such.

    Raises:
        hearth.ScenarioError: there is no such kind, or a library cannot be opened: why, and what to do.

    >>> hybrid = policies("keep_alive")["hybrid-histogram"]
    >>> [(one.name, one.kind, one.default) for one in hybrid.parameters][:2]
    [('bins', 'integer', 240), ('bin', 'duration', '60s')]
    >>> policies("keep-warm")
    Traceback (most recent call last):
    hearth.ScenarioError: kind: found 'keep-warm', expected one of node_allocation, eviction, ...
    """
    wanted = None if kind is None else kind.replace("-", "_").replace(" ", "_")
    if wanted is not None and wanted not in KINDS:
        raise ScenarioError(f"kind: found {kind!r}, expected one of {', '.join(KINDS)}")
    files, folders = ([os.fspath(path) for path in paths] for paths in (libraries, plugin_dirs))
    found = map(_policy, json.loads(_hearth.policies(files, folders)))
    return Listing(one for one in found if wanted is None or wanted in one.kinds)


def platforms() -> Listing[Platform]:
    """The platforms by name.

    >>> platforms()[0]
    <platform 'azure-functions': ...>
    """
    return Listing(map(_platform, json.loads(_hearth.platforms())))


def platform(name: str) -> Platform:
    """One platform: its settings and where they come from. A `hearth.ScenarioError` says which there are.

    >>> knative = platform("knative")
    >>> window = next(one for one in knative.settings if one.path == "policies.autoscaling.parameters.stable_window")
    >>> window.value, window.origin.kind
    ('60s', 'documented')
    >>> platform("knativ")
    Traceback (most recent call last):
    hearth.ScenarioError: there is no platform "knativ": expected one of ... did you mean "knative"?
    """
    return _platform(json.loads(_hearth.platform(name)))


def schema() -> dict[str, Any]:
    """The JSON Schema of scenarios, for editors and other programs.

    >>> schema()["title"]
    'Scenario'
    """
    told: dict[str, Any] = json.loads(_hearth.schema())
    return told


def _policy(told: dict[str, Any]) -> Policy:
    parameters = tuple(Parameter(**{**one, "words": tuple(one["words"])}) for one in told["parameters"])
    return Policy(**{**told, "kinds": tuple(told["kinds"]), "slots": tuple(told["slots"]), "parameters": parameters})


def _platform(told: dict[str, Any]) -> Platform:
    origins = [Origin(one["kind"], one["from"]) for one in told.pop("origins")]
    settings = tuple(
        Setting(one["path"], one["value"], None if one["origin"] is None else origins[one["origin"]])
        for one in told["settings"]
    )
    return Platform(**{**told, "settings": settings, "missing": tuple(told["missing"])})


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    def line(cells: Iterable[Any], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
