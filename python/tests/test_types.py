"""Types: the stub of the extension module, and what type checkers say of the package."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import hearth
import pytest
from hearth import _hearth

PACKAGE = Path(hearth.__file__).parent


def run(*command: str, folder: Path) -> None:
    # Checkers are not to take the sources for what is installed.
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def stub() -> dict[str, ast.ClassDef]:
    tree = ast.parse((PACKAGE / "_hearth.pyi").read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def properties(of: ast.ClassDef) -> dict[str, str]:
    return {
        node.name: ast.get_docstring(node) or ""
        for node in of.body
        if isinstance(node, ast.FunctionDef)
        and any(getattr(one, "id", "") == "property" for one in node.decorator_list)
    }


def test_records_have_the_fields_that_the_stub_says() -> None:
    records = {name: kind for name, kind in vars(_hearth).items() if hasattr(kind, "FIELDS")}
    assert len(records) >= 12
    classes = stub()
    for name, kind in records.items():
        said = list(properties(classes[name]))
        more = [field for field in said if field not in kind.FIELDS]
        assert [field for field in said if field in kind.FIELDS] == list(kind.FIELDS), name
        assert set(more) <= {"is_idle", "is_busy"}, name


def test_what_policies_are_shown_says_what_it_means() -> None:
    names = {name for name, kind in vars(_hearth).items() if hasattr(kind, "FIELDS")}
    names |= {
        "Load",
        "Completion",
        "Link",
        "WaitingQueue",
        "Copy",
        "WaitingFunction",
        "Batch",
        "Pool",
        "Cluster",
        "Context",
    }
    for name in names:
        assert ast.get_docstring(stub()[name]), name
        for field, meaning in properties(stub()[name]).items():
            assert meaning, (name, field)
            if field in ("now", "run_time", "since", "created", "expires", "cost") or field.endswith(("_at", "_time")):
                assert "second" in meaning or "sleep" in meaning, (name, field, meaning)
            if field in ("ram", "disk", "bytes", "ram_limit", "disk_limit"):
                assert "bytes" in meaning.lower(), (name, field, meaning)


def test_every_name_of_the_package_is_there() -> None:
    assert set(hearth.__all__) <= set(dir(hearth))
    for name in hearth.__all__:
        assert getattr(hearth, name) is not None, name
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    told = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(hearth.__all__) <= told
    with pytest.raises(AttributeError, match="module 'hearth' has no attribute 'nothing'"):
        hearth.nothing  # type: ignore[attr-defined] # noqa: B018


def test_the_stub_is_what_is_there(tmp_path: Path) -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    allowed = tmp_path / "allowed"
    # The list is made as the module is.
    allowed.write_text("hearth._hearth.__all__\n")
    run(sys.executable, "-m", "mypy.stubtest", "hearth._hearth", "--allowlist", str(allowed), folder=tmp_path)


@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_mypy_finds_nothing(version: str, project: Path, tmp_path: Path) -> None:
    for package in ("mypy", "numpy", "polars", "pandas"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    options = ["--config-file", str(project / "pyproject.toml"), "--strict", "--python-version", version]
    run(sys.executable, "-m", "mypy", *options, "-p", "hearth", f"--cache-dir={tmp_path}", folder=tmp_path)


def test_pyright_finds_nothing(tmp_path: Path) -> None:
    pyright = shutil.which(
        "pyright", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if pyright is None or subprocess.run([pyright, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("pyright is not installed")
    run(pyright, "--pythonversion", "3.10", "--pythonpath", sys.executable, str(PACKAGE), folder=tmp_path)
