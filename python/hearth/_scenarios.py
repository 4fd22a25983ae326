"""A scenario, however it is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union, cast

from hearth import _hearth
from hearth._hearth import ScenarioError
from hearth._plain import plain, text_of

if TYPE_CHECKING:
    from hearth.scenario import Scenario

Setting = tuple[bool, str]
"""What is set in a scenario: a policy as the command takes it, if the first is true, or ``path=value``."""

ScenarioLike = Union[str, "os.PathLike[str]", Mapping[str, Any], "Scenario"]
"""The path of a scenario file, a dictionary, or a `hearth.Scenario`."""


def assignments(
    set: Mapping[str, Any] | None = None, platform: str | None = None, seed: int | None = None
) -> tuple[list[Setting], list[Setting]]:
    """What is set in a scenario before policies are, and after."""
    before: list[Setting] = [] if platform is None else [(False, f"base={platform}")]
    before += [(False, f"{path}={text_of(plain(value, path))}") for path, value in (set or {}).items()]
    return before, [] if seed is None else [(False, f"seed={seed}")]


def source(scenario: ScenarioLike, settings: list[Setting]) -> _hearth.Source:
    """A scenario with what is set in it."""
    # Who has built none need not wait for the types of its sections.
    built = sys.modules.get("hearth.scenario")
    if built is not None and isinstance(scenario, built.Scenario):
        text, file, is_there = cast("Scenario", scenario).origin()
        return _hearth.Source(path=file if is_there else None, text=text, base=os.path.dirname(file), settings=settings)
    if isinstance(scenario, (str, os.PathLike)):
        return _hearth.Source(path=os.fspath(scenario), settings=settings)
    if isinstance(scenario, Mapping):
        return _hearth.Source(text=text_of(plain(scenario, "the scenario")), settings=settings)
    raise ScenarioError(f"expected the path of a scenario, a dictionary or a hearth.Scenario, found {scenario!r}")
