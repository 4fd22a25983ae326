"""What tests share."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
# It is for type checkers.
collect_ignore = ["typed"]


@pytest.fixture
def project() -> Path:
    """The folder of the repository."""
    return PROJECT
