"""What docs/python.md and the README print runs, in the order printed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest


def run_blocks(file: Path) -> int:
    """Runs the Python in a document; gives how many blocks there were."""
    text = file.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    for found in blocks:
        # Errors then say the line of the document.
        lines = "\n" * (text.count("\n", 0, found.start()) + 1)
        exec(compile(lines + found[1], file.name, "exec"), names)  # noqa: S102
    return len(blocks)


@pytest.fixture(autouse=True)
def in_a_clone(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("duckdb", "numpy", "pandas", "polars", "pyarrow"):
        pytest.importorskip(library)
    shutil.copytree(project / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)


def test_examples_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_blocks(project / "docs" / "python.md") >= 25
    printed = capsys.readouterr().out
    assert "functions[1].ram_limt: unknown field `ram_limt`, expected one of" in printed
    assert '"Forgets" failed in on_idle: raised AttributeError' in printed
    assert "FirstFree: places a request on node 0, which cannot make room for it" in printed


def test_the_readme_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_blocks(project / "README.md") == 1
    assert "Differences to eviction.containers=lru" in capsys.readouterr().out
