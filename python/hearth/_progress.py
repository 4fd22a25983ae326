"""How far a simulation is, in a terminal or a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

_WIDTH = 30
_BEGIN = 0.5
_PAUSE = 0.1


def _is_notebook() -> bool:
    shell = sys.modules.get("IPython")
    shell = shell.get_ipython() if shell is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


class Progress:
    """A line that says how far something is; nothing for what takes less than half a second."""

    def __init__(self, wanted: bool | None) -> None:
        self._notebook = _is_notebook()
        self.is_shown = wanted if wanted is not None else self._notebook or sys.stderr.isatty()
        self._begin = self._last = time.monotonic()
        self._handle: Any = None
        self._length = 0

    def show(self, share: float | None, text: str) -> None:
        now = time.monotonic()
        if not self.is_shown or now - self._begin < _BEGIN or now - self._last < _PAUSE:
            return
        self._last = now
        if share is not None and share > 0.02:
            text = f"{text}, {(now - self._begin) * (1 - share) / share:.0f} s left"
        bar = "" if share is None else f"{'█' * round(share * _WIDTH):░<{_WIDTH}} {share:4.0%}  "
        self._write(bar + text)

    def run(self, share: float | None, simulated: float, requests: int) -> None:
        """Shows how far one run is."""
        self.show(share, f"{simulated:.0f} s simulated, {requests} requests")

    def close(self) -> None:
        """Takes the line away."""
        if self._handle is not None:
            self._handle.update(_Plain(""))
        elif self._length:
            sys.stderr.write("\r" + " " * self._length + "\r")
            sys.stderr.flush()
            self._length = 0

    def _write(self, line: str) -> None:
        if self._notebook:
            from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

            if self._handle is None:
                self._handle = display(_Plain(line), display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
            else:
                self._handle.update(_Plain(line))
            return
        sys.stderr.write("\r" + line.ljust(self._length))
        sys.stderr.flush()
        self._length = len(line)


class _Plain:
    """Text without quotes in a notebook."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text
