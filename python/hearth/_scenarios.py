"""A scenario, however it is given."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union

from hearth import _hearth
from hearth._hearth import ScenarioError

if TYPE_CHECKING:
    from hearth._policies import Setting
    from hearth.scenario import Scenario

ScenarioLike = Union[str, "os.PathLike[str]", Mapping[str, Any], "Scenario"]
"""The path of a scenario file, a dictionary, or a `hearth.Scenario`."""


def assignments(
    set: Mapping[str, Any] | None = None, platform: str | None = None, seed: int | None = None
) -> tuple[list[Setting], list[Setting]]:
    """What is set in a scenario before policies are, and after."""
    before: list[Setting] = [] if platform is None else [(False, f"base={platform}")]
    before += [(False, f"{path}={json.dumps(value)}") for path, value in (set or {}).items()]
    return before, [] if seed is None else [(False, f"seed={seed}")]


def source(scenario: ScenarioLike, settings: list[Setting]) -> _hearth.Source:
    """A scenario with what is set in it."""
    if isinstance(scenario, (str, os.PathLike)):
        path = os.fspath(scenario)
        if path.lstrip().startswith("{"):
            return _hearth.Source(text=path, settings=settings)
        return _hearth.Source(path=path, settings=settings)
    if isinstance(scenario, Mapping):
        return _hearth.Source(text=json.dumps(dict(scenario)), settings=settings)
    to_json = getattr(scenario, "to_json", None)
    if to_json is None:
        raise ScenarioError(f"expected the path of a scenario, a dictionary or a hearth.Scenario, found {scenario!r}")
    return _hearth.Source(text=to_json(), base=getattr(scenario, "base_folder", None), settings=settings)
