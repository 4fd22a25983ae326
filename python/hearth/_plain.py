"""Values of Python as values of JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

from hearth._hearth import ScenarioError


def plain(value: Any, place: str) -> Any:
    """A copy of a value that JSON can hold: mappings as `dict`, sequences as `list`, paths as text, numbers of numpy as such.

    Anything else is a `ScenarioError` that names the place.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ScenarioError(f"{place}: found {value}, expected a finite number")
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ScenarioError(f"{place}: found the key {key!r}, expected text")
        return {key: plain(inner, f"{place}.{key}") for key, inner in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(inner, f"{place}[{position}]") for position, inner in enumerate(value)]
    if isinstance(value, os.PathLike):
        return plain(os.fspath(value), place)
    if hasattr(value, "tolist"):  # a number or an array of numpy
        return plain(value.tolist(), place)
    raise ScenarioError(
        f"{place}: found a value of type {type(value).__name__}, expected a number, text, true or false, a list or a dict"
    )


def text_of(value: Any, indent: int | None = None) -> str:
    """A value as the text of JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False)
