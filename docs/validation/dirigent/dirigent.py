"""Compares a control plane of few stations with the cold-start sweep of Dirigent (SOSP '24): Knative and Dirigent.

README.md says what is fitted. RUNS (default 5) says over how many seeds means go.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures                                                              # noqa: E402
from harness import HERE, error, folder, latencies, mean, quantile, run, shown, table   # noqa: E402

# Read from the figures in the authors' results (s): {rate: (median, 99th percentile)}; a text is a bound.
MEASURED = {
    "knative": {1: (1.78, 3.3), 2: (2.48, None), 3: ("> 5", None)},
    "dirigent": {1: (0.18, None), 100: (0.18, 0.40), 150: (None, 1.05), 225: (0.58, None)},
}


def simulate(platform, rate, output, runs):
    """Mean of the median and of the 99th percentile of latency over seeds (s); the first tenth of a run is left out."""
    quantiles = []
    for seed in range(1, 1 + runs):
        done = latencies(run(HERE / f"dirigent/{platform}.json", output / "run", seed,
                             [f"workload.generate.arrivals.poisson.rate={rate}"]))
        done = done[len(done) // 10:]
        quantiles.append((quantile(done, 0.5), quantile(done, 0.99)))
    return [mean(column) for column in zip(*quantiles)], [min(q[0] for q in quantiles), max(q[0] for q in quantiles)]


def compared(measured, ours):
    """(Measured, error) as texts."""
    if measured is None:
        return "-", "-"
    return (measured, "agrees" if ours > float(measured.strip("> ")) else "missed") if isinstance(measured, str) else (
        f"{measured:.2f}", error(ours, measured))


def draw(results, path):
    ticks = [(value, f"{value:g}") for value in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)]
    rates = [(value, f"{value}") for value in (1, 2, 5, 10, 20, 50, 100, 200)]
    figure = figures.Figure(
        "Median latency against cold starts a second",
        "Medians that were measured (points) and simulated (lines, with the range over seeds) for Knative and Dirigent.",
        figures.Axis("cold starts a second", 0.9, 260, rates, "log"),
        figures.Axis("median latency (s)", 0.1, 20, ticks, "log"))
    for platform, colour in (("knative", figures.ORANGE), ("dirigent", figures.BLUE)):
        points = [(rate, q[0], span) for (name, rate), (q, span) in results.items() if name == platform]
        figure.line([(rate, median) for rate, median, _ in points], colour, f"{platform.capitalize()}, Hearth")
        figure.bars([(rate, *span) for rate, _, span in points], colour)
        measured = [(rate, q[0]) for rate, q in MEASURED[platform].items() if isinstance(q[0], float)]
        figure.points(measured, colour, hollow=True)
    figure.key("measured")
    figure.save(path)


def main():
    output, runs = folder("dirigent"), int(os.environ.get("RUNS") or 5)
    rates = {"knative": (1, 2, 2.5, 3), "dirigent": (1, 100, 150, 200, 225)}
    results = {(platform, rate): simulate(platform, rate, output, runs) for platform in rates for rate in rates[platform]}
    body = []
    for (platform, rate), ((median, tail), span) in results.items():
        measured, measured_tail = MEASURED[platform].get(rate, (None, None))
        target, off = compared(measured, median)
        target_tail, off_tail = compared(measured_tail, tail)
        body.append([f"{platform.capitalize()}, {rate:g}/s", target, f"{median:.2f}", off,
                     f"{span[0]:.2f} … {span[1]:.2f}", target_tail, f"{tail:.2f}", off_tail])
    print("# Dirigent's cold-start sweep: Knative and Dirigent")
    table(f"Latency (s); Hearth's are means over {runs} seeds, the range is that of the median",
          ["", "median", "Hearth", "error", "range", "99th percentile", "Hearth", "error"], body)
    print("""
Fitted, on the numbers measured here: for Knative the mean (0.355 s) and spread (0.75 of it) of a creation, one at a time,
and the start of a pod (median 1.5 s); for Dirigent the time a node takes for a sandbox, one at a time (mean 0.055 s), and
the rest of a start (0.14 s). Dirigent's control plane, 0.4 ms a creation, is the paper's. Arrivals at random: assumed.""")
    draw(results, output / "cold-starts-a-second.svg")
    print(f"\nFigure: {shown(output / 'cold-starts-a-second.svg')}")


main()
