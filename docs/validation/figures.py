"""Figures as SVG: points and lines over linear or logarithmic axes, in the colours of Hearth's reports."""
import math
from html import escape

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A9099"
INK, LIGHT = "#1B1F24", "#DDE1E6"
WIDTH, HEIGHT = 620, 460
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 34, 84


class Axis:
    """A scale from data to pixels with ticks. kind: "linear", "log", or "root" (square root, which shows 0)."""

    def __init__(self, label, low, high, ticks, kind="linear"):
        self.label, self.low, self.high, self.ticks, self.kind = label, low, high, ticks, kind

    def share(self, value):
        """Where a value lies, from 0 to 1."""
        bend = {"linear": float, "log": math.log, "root": lambda x: math.sqrt(max(x, 0.0))}[self.kind]
        return (bend(value) - bend(self.low)) / (bend(self.high) - bend(self.low))


class Figure:
    """A plot; series are drawn in the order in which they are added."""

    def __init__(self, title, description, x, y):
        self.title, self.description, self.x, self.y = title, description, x, y
        self.marks, self.legend = [], []

    def place(self, x, y):
        across = LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT)
        return round(across, 2), round(HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM), 2)

    def line(self, points, colour, name=None, dashed=False):
        places = " ".join(f"{a},{b}" for a, b in (self.place(*point) for point in points))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.marks.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{places}"/>')
        if name:
            self.legend.append((name, colour, "line" + dash))

    def points(self, points, colour, name=None, hollow=False):
        fill = ring(colour) if hollow else f'fill="{colour}"'
        for point in points:
            a, b = self.place(*point)
            self.marks.append(f'<circle cx="{a}" cy="{b}" r="4" {fill}/>')
        if name:
            self.legend.append((name, colour, fill))

    def key(self, name):
        """Says what hollow points of any colour are."""
        self.legend.append((name, GREY, ring(GREY)))

    def bars(self, points, colour):
        """Vertical bars from a low to a high value: (x, low, high)."""
        for x, low, high in points:
            (a, b), (_, c) = self.place(x, low), self.place(x, high)
            self.marks.append(f'<line x1="{a}" y1="{b}" x2="{a}" y2="{c}" stroke="{colour}" stroke-width="2"/>')

    def axes(self):
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for value, text in self.x.ticks:
            a, _ = self.place(value, self.y.low)
            yield f'<line x1="{a}" y1="{TOP}" x2="{a}" y2="{bottom}" stroke="{LIGHT}"/>'
            yield write(a, bottom + 17, text, "middle", 12)
        for value, text in self.y.ticks:
            _, b = self.place(self.x.low, value)
            yield f'<line x1="{LEFT}" y1="{b}" x2="{right}" y2="{b}" stroke="{LIGHT}"/>'
            yield write(LEFT - 6, b + 4, text, "end", 12)
        yield write((LEFT + right) / 2, bottom + 37, self.x.label, "middle", 13)
        middle = (TOP + bottom) / 2
        yield f'<g transform="rotate(-90 16 {middle})">{write(16, middle, self.y.label, "middle", 13)}</g>'

    def keys(self):
        across = LEFT
        for name, colour, look in self.legend:
            b = HEIGHT - 18
            if look.startswith("line"):
                yield f'<line x1="{across}" y1="{b}" x2="{across + 20}" y2="{b}" stroke="{colour}" stroke-width="2"{look[4:]}/>'
            else:
                yield f'<circle cx="{across + 10}" cy="{b}" r="4" {look}/>'
            yield write(across + 26, b + 4, name, "start", 12)
            across += 44 + 6.6 * len(name)

    def save(self, path):
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self.description)}</desc>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
            write(12, 21, self.title, "start", 15),
            *self.axes(), *self.marks, *self.keys(), "</svg>",
        ]
        path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def ring(colour):
    return f'fill="#FFFFFF" fill-opacity="0" stroke="{colour}" stroke-width="1.6"'


def write(x, y, text, anchor, size):
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="sans-serif" font-size="{size}" '
            f'fill="{INK}">{escape(text)}</text>')
