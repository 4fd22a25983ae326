"""Figures as SVG, which notebooks show."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# A figure is dark on white, and so is what stands below it, whatever the ground of the notebook.
_CARD = "background:#fff;color:#59636e;max-width:800px;margin:0 0 1em;padding:4px"
_PICTURE = "display:block;width:100%;height:auto"
_NOTE = "font:13px/1.45 system-ui,sans-serif;margin:4px 8px"


@dataclass(frozen=True)
class Figure:
    """A figure. A notebook shows it where it is the last thing in a cell.

    >>> import hearth
    >>> figure = hearth.run("examples/quickstart.json").figures.named("latency-cdf")
    >>> figure.title
    'Latency, waiting and delay of cold starts'
    >>> figure.svg[:18]
    '<svg width="800" h'
    """

    name: str
    """What it is found by, as `"latency-cdf"`."""
    title: str
    """What it shows; it stands above the figure."""
    note: str
    """How it is to be read; empty if that is plain."""
    svg: str
    """The picture, as the text of an SVG file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as SVG."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_html_(self) -> str:
        picture = self.svg.replace("<svg ", f"<svg style='{_PICTURE}' ", 1)
        note = f"<figcaption style='{_NOTE}'>{html.escape(self.note)}</figcaption>" if self.note else ""
        return f"<figure style='{_CARD}'>{picture}{note}</figure>"

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Figure({self.name!r}, {self.title!r})"


class Figures(list[Figure]):
    """Figures, one below the other in a notebook; also by their names.

    >>> import hearth
    >>> figures = hearth.run("examples/quickstart.json").figures
    >>> [figure.name for figure in figures][:3]
    ['latency-cdf', 'slowdown-cdf', 'function-cold-starts-cdf']
    """

    def __init__(self, figures: Iterable[Figure]) -> None:
        super().__init__(figures)

    def named(self, name: str) -> Figure:
        """The figure of a name. A `KeyError` says which there are.

        >>> import hearth
        >>> hearth.run("examples/quickstart.json").figures.named("memory-over-time")
        Figure('memory-over-time', 'Memory of containers')
        """
        for figure in self:
            if figure.name == name:
                return figure
        raise KeyError(f"there is no figure {name!r}: there are {', '.join(figure.name for figure in self)}")

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes all of them into a folder, as `NAME.svg`; makes the folder if need be."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for figure in self:
            figure.save(Path(folder) / f"{figure.name}.svg")

    def _repr_html_(self) -> str:
        return "".join(figure._repr_html_() for figure in self)
