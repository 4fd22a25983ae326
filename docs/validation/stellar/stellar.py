"""Compares one scenario a platform with STeLLAR's bursts of cold requests (IISWC '21): AWS, Google, Azure.

README.md says in which rules the scenarios differ and what is fitted. RUNS (default 10) is the number of bursts of each.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures                                                              # noqa: E402
from harness import HERE, error, folder, latencies, mean, quantile, run, shown, table   # noqa: E402

SECOND = ['functions[f].body=[{"sleep":"1s"}]']
# (What, trace, settings, {platform: (median, 99th percentile) that were measured, s}).
CASES = [
    ("one request", "single.csv", [], {"aws": (0.448, None), "google": (0.870, None), "azure": (1.401, None)}),
    ("100 at once", "burst-100.csv", [], {"aws": (0.249, None), "google": (1.818, None)}),
    ("500 at once", "burst-500.csv", [], {"azure": (5.74, None)}),
    ("100 at once, 1 s each", "burst-100.csv", SECOND,
     {"aws": (1.598, 1.865), "google": (2.978, 4.595), "azure": (18.637, 38.545)}),
]
NAMES = {"aws": "AWS Lambda", "google": "Google Cloud Functions", "azure": "Azure Functions"}


def simulate(platform, trace, settings, output, runs):
    """Median and 99th percentile of latency, means over bursts, and all latencies (s)."""
    # A single request has no quantiles: there it is those over seeds that count.
    runs, bursts = (10 * runs if trace == "single.csv" else runs), []
    for seed in range(1, 1 + runs):
        where = HERE / "stellar" / trace
        bursts.append(latencies(run(HERE / f"stellar/{platform}.json", output / "run", seed,
                                    [f"workload.trace.path={where}", *settings])))
    together = [latency for burst in bursts for latency in burst]
    if trace == "single.csv":
        return quantile(together, 0.5), quantile(together, 0.99), together
    return mean(quantile(burst, 0.5) for burst in bursts), mean(quantile(burst, 0.99) for burst in bursts), together


def draw(latencies_of, path):
    """Measured median and 99th percentile on the simulated distribution of the burst to the 1 s function."""
    ticks = [(value, f"{value}") for value in (1, 2, 5, 10, 20, 40)]
    shares = [(value / 100, f"{value} %") for value in (0, 25, 50, 75, 100)]
    figure = figures.Figure(
        "A burst of 100 cold requests that run for 1 s",
        "Share of requests that are answered by a time: simulated (lines), and median and 99th percentile measured (points).",
        figures.Axis("latency (s)", 1, 50, ticks, "log"), figures.Axis("requests", 0, 1, shares))
    for (platform, colour) in (("aws", figures.ORANGE), ("google", figures.BLUE), ("azure", figures.GREEN)):
        ordered = sorted(latencies_of[platform])
        places = [(ordered[round(i / 200 * (len(ordered) - 1))], i / 200) for i in range(201)]
        figure.line(places, colour, NAMES[platform].split()[0] + ", Hearth")
        median, tail = CASES[-1][3][platform]
        figure.points([(median, 0.5), (tail, 0.99)], colour, hollow=True)
    figure.key("measured")
    figure.save(path)


def main():
    output, runs = folder("stellar"), int(os.environ.get("RUNS") or 10)
    body, last = [], {}
    for name, trace, settings, measured in CASES:
        for platform, targets in measured.items():
            median, tail, last[platform] = simulate(platform, trace, settings, output, runs)
            row = [f"{name}: {NAMES[platform]}"]
            for ours, target in ((median, targets[0]), (tail, targets[1])):
                row += ["-" if target is None else f"{target:.3f}", f"{ours:.3f}", error(ours, target)]
            body.append(row)
    print("# STeLLAR's bursts")
    table(f"Latency (s); Hearth's are means over {runs} bursts",
          ["", "median", "Hearth", "error", "99th percentile", "Hearth", "error"], body)
    print("""
Fitted: start-up to the single request (median, and 99th percentile over median, less the run), so that those rows say nothing;
for Google two requests an instance and 17 ms of the store's link for each, for Azure 34 requests an instance, to the bursts.
Documented: at Azure at most one new instance a second.
Missed: AWS at 100 (what was read once starts sooner: there is no cache before a store whose readers do not wait for one another).""")
    draw(last, output / "burst.svg")
    print(f"\nFigure: {shown(output / 'burst.svg')}")


main()
