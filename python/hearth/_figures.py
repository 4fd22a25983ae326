"""Figures as SVG, which notebooks show."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A figure."""

    name: str
    title: str
    note: str
    svg: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as SVG."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Figure({self.name!r}, {self.title!r})"


class Figures(list[Figure]):
    """Figures, one below the other in a notebook; also by their names."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        super().__init__(figures)

    def named(self, name: str) -> Figure:
        """The figure of a name."""
        for figure in self:
            if figure.name == name:
                return figure
        raise KeyError(f"there is no figure {name!r}: there are {', '.join(figure.name for figure in self)}")

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes all of them into a folder, as SVG."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for figure in self:
            figure.save(Path(folder) / f"{figure.name}.svg")

    def _repr_html_(self) -> str:
        parts = (
            f"<figure style='margin:0 0 1em'>{figure.svg}<figcaption>{figure.note}</figcaption></figure>"
            for figure in self
        )
        return "".join(parts)
