"""The wheel: what is in it, and that it is enough by itself. `scripts/python-tests` builds it and says where."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest
from support import QUICKSTART

WHEEL = os.environ.get("HEARTH_WHEEL", "")
pytestmark = pytest.mark.skipif(not WHEEL, reason="HEARTH_WHEEL names no wheel: scripts/python-tests builds one")

MOST_BYTES = 15_000_000
"""That it is downloaded in a moment, and does not grow unseen."""

MOST_SECONDS = 0.05
"""Of an import."""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has the wheel, and no other package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", WHEEL]
    subprocess.run(install, check=True)
    return python


def test_it_is_small_and_has_what_it_needs() -> None:
    assert os.path.getsize(WHEEL) < MOST_BYTES
    with zipfile.ZipFile(WHEEL) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    for file in ("hearth/py.typed", "hearth/_hearth.pyi", "hearth/__init__.py", "hearth/_hearth.abi3.so"):
        assert file in names
    assert any(name.endswith("entry_points.txt") for name in names)
    assert {"LICENSE-MIT", "LICENSE-APACHE"} <= {Path(name).name for name in names}
    assert not [name for name in names if "tests" in name or name.endswith((".rs", ".pyc"))]
    assert "-abi3-" in WHEEL and "Requires-Python: >=3.10" in metadata and "Requires-Dist" not in metadata


def seconds(python: str, program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([python, "-c", program], check=True)
    return time.perf_counter() - begin


def test_it_is_imported_quickly(bare: str) -> None:
    # In turns, so that what else the machine does meets both.
    pairs = [(seconds(bare, "pass"), seconds(bare, "import hearth")) for _ in range(15)]
    took = statistics.median(with_it - without for without, with_it in pairs)
    assert took < MOST_SECONDS, took


def test_nothing_else_is_needed(bare: str, tmp_path: Path) -> None:
    program = f"""
import importlib.util, json, hearth
assert not any(importlib.util.find_spec(name) for name in ("numpy", "pandas", "pyarrow", "cloudpickle", "pip"))
class Half(hearth.KeepAlive):
    def on_idle(self, completion):
        return completion.run_time / 2
class First(hearth.NodeAllocation):
    def place(self, request, cluster):
        return cluster.free_core.first()
run = hearth.run({str(QUICKSTART)!r}, policies={{"keep_alive": Half, "node_allocation": First}})
assert len(run.invocations) == 34 and run.invocations.columns and run._repr_html_() and str(run)
compared = hearth.compare({str(QUICKSTART)!r}, {{"half": Half, "fixed": "keep_alive=fixed"}}, seeds=[1, 2])
assert str(compared) and compared.to_dict() and compared.figures
assert sum(len(part) for part in hearth.stream({str(QUICKSTART)!r}, rows=10)) == 34
scenario = hearth.Scenario("s", base="knative").function("f", ram_limit="128MB").invoke("f", at=0)
assert scenario.validate() == [] and hearth.policies() and hearth.platforms() and hearth.schema()
print(json.dumps(hearth.run({str(QUICKSTART)!r}).summary, sort_keys=True))
"""
    ended = subprocess.run([bare, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    command = [str(Path(bare).parent / "hearth"), "run", "--json", str(QUICKSTART)]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == json.loads(ended.stdout)


def test_numpy_is_asked_for_where_it_is_needed(bare: str) -> None:
    program = f"import hearth; hearth.run({str(QUICKSTART)!r}).invocations['function']"
    ended = subprocess.run([bare, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr.rstrip().splitlines()[-1] == "ModuleNotFoundError: No module named 'numpy'"
