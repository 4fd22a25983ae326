"""The command `hearth`."""

from __future__ import annotations

import os
import signal
import sys

from hearth import _hearth


def main() -> None:
    """Does what the arguments of this process say, and ends it with the exit code for that."""
    # Ctrl-C is the command's own matter.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    file = os.path.abspath(sys.argv[0])
    is_script = os.path.isfile(file) and os.path.basename(file) != "__main__.py"
    start = [sys.executable, *([file] if is_script else ["-m", "hearth"])]
    sys.exit(_hearth.command(start, file if is_script else "hearth", sys.argv[1:]))


if __name__ == "__main__":
    main()
