"""What docs/python.md prints runs, in the order printed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest


def test_examples_run(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("duckdb", "numpy", "pandas", "polars", "pyarrow"):
        pytest.importorskip(library)
    text = (project / "docs" / "python.md").read_text()
    blocks = [
        (text.count("\n", 0, found.start()), found[1])
        for found in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    assert len(blocks) >= 25
    shutil.copytree(project / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for line, block in blocks:
        # Errors then say the line of the document.
        exec(compile("\n" * (line + 1) + block, "docs/python.md", "exec"), names)  # noqa: S102
    assert "functions[1].ram_limt: unknown field `ram_limt`, expected one of" in capsys.readouterr().out
