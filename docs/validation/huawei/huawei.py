"""Huawei's distributions of cold starts (EuroSys '25) as a scenario, and their moments as simulated.

README.md has the formulas. RUNS (default 5) says over how many seeds means go.
"""
import math
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures                                                              # noqa: E402
from harness import HERE, deviation, error, folder, mean, quantile, rows, run, shown, table   # noqa: E402

START, GAP = (3.24, 7.10), (1.25, 3.66)     # mean and standard deviation (s)


def lognormal(average, spread):
    """(median, sigma) of the log-normal distribution with this mean and standard deviation."""
    ratio = 1 + (spread / average) ** 2
    return average / math.sqrt(ratio), math.sqrt(math.log(ratio))


def weibull(average, spread):
    """(scale, shape) of the Weibull distribution with this mean and standard deviation: bisection by the shape."""
    low, high = 0.2, 10
    for _ in range(100):
        shape = (low + high) / 2
        relative = math.sqrt(math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2 - 1)
        low, high = (shape, high) if relative > spread / average else (low, shape)
    return average / math.gamma(1 + 1 / low), low


def simulate(output, seed):
    """(Times of cold starts, gaps between them) of a run (s)."""
    instances = list(rows(run(HERE / "huawei/scenario.json", output / "run", seed) / "instances.csv"))
    begun = sorted(float(row["wanted_at"]) for row in instances)
    starts = [float(row["ready_at"]) - float(row["placed_at"]) for row in instances if row["ready_at"]]
    return starts, [after - before for before, after in zip(begun, begun[1:])]


def draw(starts, gaps, path):
    ticks = [(value, f"{value:g}") for value in (0.001, 0.01, 0.1, 1, 10, 100)]
    figure = figures.Figure(
        "Cold start times and gaps between cold starts",
        "Share of cold start times and of gaps that are at most so long: simulated, and by the formulas (dashed).",
        figures.Axis("time (s)", 0.001, 200, ticks, "log"),
        figures.Axis("at most so long", 0, 1, [(value / 100, f"{value} %") for value in (0, 25, 50, 75, 100)]))
    median, sigma = lognormal(*START)
    scale, shape = weibull(*GAP)
    times = [0.001 * 200000 ** (i / 100) for i in range(101)]
    for values, colour, name in ((starts, figures.BLUE, "cold start times"), (gaps, figures.ORANGE, "gaps")):
        ordered = sorted(values)
        places = [(quantile(ordered, i / 100), i / 100) for i in range(1, 100)]
        figure.line([place for place in places if place[0] >= 0.001], colour, name)
    figure.line([(t, 0.5 * (1 + math.erf(math.log(t / median) / sigma / math.sqrt(2)))) for t in times],
                figures.INK, "formulas", dashed=True)
    figure.line([(t, 1 - math.exp(-((t / scale) ** shape))) for t in times], figures.INK, dashed=True)
    figure.save(path)


def main():
    output, runs = folder("huawei"), int(os.environ.get("RUNS") or 5)
    simulated = [simulate(output, seed) for seed in range(1, 1 + runs)]
    body = []
    for which, name, targets in ((0, "cold start", START), (1, "gap", GAP)):
        for moment, target, of in (("mean", targets[0], mean), ("standard deviation", targets[1], deviation)):
            values = [of(both[which]) for both in simulated]
            body.append([f"{name}, {moment}", f"{target:.2f}", f"{mean(values):.3f}", error(mean(values), target),
                         f"{min(values):.2f} … {max(values):.2f}"])
    print("# Huawei's cold starts")
    table(f"{len(simulated[0][0])} cold starts (s); Hearth's are means over {runs} seeds, then the range",
          ["", "Huawei", "Hearth", "error", "range"], body)
    (median, sigma), (scale, shape) = lognormal(*START), weibull(*GAP)
    print(f"""
Log-normal: median {median:.4f} s, sigma {sigma:.5f}. Weibull: scale {scale:.4f} s, shape {shape:.5f}, rate {1 / GAP[0]:g}/s.
Fitted: nothing; both are worked out from mean and deviation that the paper gives.""")
    draw(*simulated[0], output / "cold-starts.svg")
    print(f"\nFigure: {shown(output / 'cold-starts.svg')}")


main()
