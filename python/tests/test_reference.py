"""The reference that is made of docstrings: that it is made, and that all that is public is in it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hearth
import hearth.catalog
import hearth.policy
import hearth.trace

MODULES = (hearth, hearth.catalog, hearth.policy, hearth.trace)


def public() -> Iterator[tuple[str, Any]]:
    """All that users see, by its name: members of classes, too."""
    for module in MODULES:
        names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        for name in names:
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isroutine(value)) or not value.__module__.startswith("hearth"):
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for inner, member in vars(value).items():
                    if not inner.startswith("_") and (
                        inspect.isfunction(member) or isinstance(member, (classmethod, property))
                    ):
                        yield f"{module.__name__}.{name}.{inner}", member


def test_all_that_is_public_says_what_it_is() -> None:
    all_ = dict(public())
    assert len(all_) > 100
    assert [name for name, value in all_.items() if not inspect.getdoc(value)] == []


def test_functions_say_what_their_arguments_are() -> None:
    for function in (
        hearth.run,
        hearth.stream,
        hearth.compare,
        hearth.sweep,
        hearth.check_policy,
        hearth.policies,
        hearth.trace.read,
        hearth.trace.generate,
    ):
        told = inspect.getdoc(function) or ""
        arguments = told.partition("Args:\n")[2].partition("\n\n")[0]
        missing = [name for name in inspect.signature(function).parameters if f"    {name}: " not in arguments]
        assert missing == [], function.__name__
        assert "Raises:\n" in told, function.__name__


def test_it_is_made_and_names_all_that_is_public(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("pdoc")
    script = project / "scripts" / "python-reference"
    made = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    page = (tmp_path / "hearth.html").read_text(encoding="utf-8")
    modules = {"trace"}
    assert [name for name in hearth.__all__ if name not in modules and f'id="{name}"' not in page] == []
    for module in ("trace", "catalog", "policy", "_hearth"):
        assert (tmp_path / "hearth" / f"{module}.html").is_file()
    shown = (tmp_path / "hearth" / "_hearth.html").read_text(encoding="utf-8")
    for name in ("Cluster", "Request", "Completion", "Context", "NodeSet"):
        assert f'<section id="{name}">' in shown
    assert "RunResult" not in shown
