"""What the comparisons share: runs of Hearth, quantiles, tables and where output goes.

HEARTH is the command that is run (default: built by Cargo), OUT the folder that results and figures go to.
"""
import csv
import math
import os
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
OUT = Path(os.environ.get("OUT") or PROJECT / "results/validation").resolve()
# --quiet is Cargo's here, and Hearth's below.
HEARTH = shlex.split(os.environ.get("HEARTH") or "cargo run --release --quiet --")


def run(scenario, output, seed, settings=()):
    """Runs a scenario; the folder of its results."""
    command = [*HEARTH, "run", str(scenario), "--seed", str(seed), "--output", str(output), "--overwrite", "--quiet"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr.strip()}")
    return Path(output)


def rows(path):
    """The rows of a CSV file, as dictionaries of texts."""
    with open(path, newline="") as file:
        yield from csv.DictReader(file)


def latencies(folder):
    """Latencies of the completed requests of a run, in the order in which they came (s)."""
    done = [row for row in rows(folder / "invocations.csv") if row["outcome"] == "completed"]
    done.sort(key=lambda row: int(row["invocation"]))
    return [float(row["finished_at"]) - float(row["requested_at"]) for row in done]


def quantile(values, share):
    """The quantile of a share, with linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mean(values):
    """The mean; sums are exact, so that they hang on no order."""
    values = list(values)
    return math.fsum(values) / len(values)


def deviation(values):
    """The standard deviation of a sample."""
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def error(ours, measured):
    """How far ours is from what was measured, as text."""
    return f"{100 * (ours / measured - 1):+.1f} %" if measured else "-"


def table(title, header, body):
    """Prints a table; the first column stands left, the others right."""
    body = [[str(cell) for cell in row] for row in body]
    widths = [max(map(len, column)) for column in zip(header, *body)]
    print(f"\n{title}\n" if title else "")
    for row in [header, *body]:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def folder(name):
    """The folder for the results of a comparison."""
    path = OUT / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def shown(path):
    """A path as the reader may type it: within the project, from there."""
    path = Path(path)
    return str(path.relative_to(PROJECT)) if PROJECT in path.parents else str(path)
