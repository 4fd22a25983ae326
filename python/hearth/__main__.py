"""The command `hearth`."""

from __future__ import annotations

import sys

from hearth import _hearth


def main() -> None:
    """Does what the arguments of this process say, and ends it with the exit code for that."""
    sys.exit(_hearth.command([sys.executable, "-m", "hearth"], sys.argv[1:]))


if __name__ == "__main__":
    main()
