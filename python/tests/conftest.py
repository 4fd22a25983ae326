"""What tests share."""

import importlib.util
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
# It is for type checkers.
collect_ignore = ["typed"]


@pytest.fixture
def project() -> Path:
    """The folder of the repository."""
    return PROJECT


@pytest.fixture
def command() -> list[str]:
    """The command `hearth`: that of the package, or one that Cargo has built."""
    if importlib.util.find_spec("hearth.__main__") is not None:
        return [sys.executable, "-m", "hearth"]
    built = [PROJECT / "target" / profile / "hearth" for profile in ("release", "debug")]
    there = [str(file) for file in built if file.is_file()]
    if not there:
        pytest.skip("there is no command")
    return there[:1]
