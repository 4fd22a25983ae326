"""The notebooks of python/examples run as they are, on a machine without a network."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
MOST_SECONDS = 60

everyone = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 5


@everyone
def test_nothing_is_stored_but_what_is_written(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == [], "".join(cell["source"])
        assert cell.get("execution_count") is None, "".join(cell["source"])
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert "What you learn:" in texts[0]
    assert "## Where to go on" in texts[-1]


@everyone
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for library in ("ipykernel", "pandas", "matplotlib"):
        pytest.importorskip(library)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    begin = time.monotonic()
    nbclient.NotebookClient(
        notebook, timeout=MOST_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert time.monotonic() - begin < MOST_SECONDS
    outputs: list[Any] = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) >= 5
    assert not [output for output in outputs if output["output_type"] == "error"]


def test_the_figure_is_of_the_study(project: Path) -> None:
    notebook = json.loads((EXAMPLES / "reproducing_a_figure.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if "the-study" in cell["metadata"].get("tags", []))
    names: dict[str, Any] = {"functions": 400, "hours": 3}
    exec("import hearth\n" + "".join(cell["source"]), names)  # noqa: S102
    study = json.loads((project / "docs/studies/memory/scenario.json").read_text(encoding="utf-8"))
    del study["description"]
    assert names["study"].to_dict() == study
