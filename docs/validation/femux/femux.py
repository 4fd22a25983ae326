"""Compares Hearth with a Knative cluster on which applications of Azure were replayed (FeMux, EuroSys '26).

    python3 femux.py [MEASURED.csv LOAD.csv.gz]

README.md says what is fitted and what was found. SEEDS (default 5) says over how many seeds intervals go.
"""
import math
import os
import random
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures                                                              # noqa: E402
from harness import HERE, error, folder, mean, quantile, rows, run, shown, table   # noqa: E402
from load import COUNTED, METERED, read                                     # noqa: E402

# An instance beside these stood for all of the metered time and served nothing: found, not explained (README.md).
STANDING = {"b3c0382a", "b529a846", "db200d5d", "e249fc46", "e3327d8e", "ffd7cf63"}
METERED_S = 60 * (METERED[1] - METERED[0])


class Result:
    """What a run of Hearth gives for each application, counted as the measurement counts."""

    def __init__(self, applications, output):
        run_time = {application.name: application.run_time for application in applications}
        self.cold, self.started, self.seconds = ({name: 0 for name in run_time} for _ in range(3))
        for row in rows(output / "invocations.csv"):
            name, wait = row["function"], float(row["started_at"]) - float(row["requested_at"])
            if 60 * COUNTED[0] <= float(row["requested_at"]) < 60 * COUNTED[1] and wait > 0:
                self.started[name] += 1
                # A latency of at least twice the run time: the rule found in the data.
                self.cold[name] += wait > run_time[name]
        for row in rows(output / "instances.csv"):
            if row["ready_at"]:
                begin = max(60 * METERED[0], float(row["ready_at"]))
                end = min(60 * METERED[1], float(row["ended_at"] or "inf"))
                self.seconds[row["function"]] += max(0, end - begin)


def write_workload(applications, output):
    """The requests as a trace, beside them the functions and a copy of the scenario that can be run by itself."""
    requests = sorted((date, i) for i, application in enumerate(applications) for date in application.dates())
    with open(output / "requests.csv", "w", newline="\n") as file:
        file.write("arrival_s,function,duration_s\n")
        for date, i in requests:
            file.write(f"{date:.6f},{applications[i].name},{applications[i].run_time:.6f}\n")
    with open(output / "functions.csv", "w", newline="\n") as file:
        file.write("function,memory_mb\n")
        for application in applications:
            file.write(f"{application.name},{application.memory_mb:g}\n")
    shutil.copyfile(HERE / "femux/scenario.json", output / "scenario.json")


def total(applications, value):
    return math.fsum(value(application) for application in applications)


def measures(applications, result):
    """(What it is, measured, ours, the authors' simulator's or nothing)."""
    named = [a for a in applications if a.name in STANDING]
    free = [a for a in applications if a.name not in STANDING]
    seen = [a for a in applications if a.requests >= 0.85 * a.requests_of_day * (COUNTED[1] - COUNTED[0]) / 1440]
    cold = total(applications, lambda a: a.cold)

    def gb_s(of, standing=0):
        extra = standing * total(named, lambda a: METERED_S * a.memory_mb)
        return (total(of, lambda a: result.seconds[a.name] * a.memory_mb) + extra) / 1000

    def off(a):
        extra = METERED_S if a.name in STANDING else 0
        return abs((result.seconds[a.name] + extra) * a.memory_mb - a.allocated) / 1000

    allocated = total(applications, lambda a: a.allocated) / 1000
    yield "cold starts", cold, sum(result.cold.values()), total(applications, lambda a: a.authors_cold)
    yield ("  of applications that saw 85 % of their requests", total(seen, lambda a: a.cold),
           total(seen, lambda a: result.cold[a.name]), total(seen, lambda a: a.authors_cold))
    yield ("  sum of |errors| over applications", cold, total(applications, lambda a: abs(result.cold[a.name] - a.cold)),
           total(applications, lambda a: abs(a.authors_cold - a.cold)))
    yield "memory, all applications, nothing added (GB·s)", allocated, gb_s(applications), None
    if named:
        yield (f"  without the {len(named)} with a standing instance", total(free, lambda a: a.allocated) / 1000,
               gb_s(free), None)
        yield "  all, standing instances added as an input", allocated, gb_s(applications, 1), None
    yield "  sum of |errors|, standing instances added", allocated, total(applications, off), None


def print_totals(applications, results):
    body = []
    for of_seeds in zip(*(list(measures(applications, result)) for result in results)):
        name, measured, _, authors = of_seeds[0]
        ours = [row[2] for row in of_seeds]
        is_sum = "|" in name
        relative = (lambda x: f"{100 * x / measured:.1f} %" if measured else "-") if is_sum else (
            lambda x: error(x, measured))
        body.append([name, "" if is_sum else f"{measured:.0f}", f"{mean(ours):.0f}", relative(mean(ours)),
                     f"{relative(min(ours))} … {relative(max(ours))}",
                     *(("-", "-") if authors is None or math.isnan(authors) else (f"{authors:.0f}", relative(authors)))])
    table(f"Totals; Hearth's are means over {len(results)} seeds, then the range",
          ["", "cluster", "Hearth", "error", "range", "authors' simulator", "error"], body)


def print_applications(applications, result):
    body = []
    for a in sorted(applications, key=lambda a: (-a.cold, a.name)):
        standing = METERED_S if a.name in STANDING else 0
        body.append([a.name + ("*" if standing else ""), a.case, f"{a.run_time:.3f}", f"{a.requests:.0f}", a.counted(),
                     f"{a.cold:.0f}", result.cold[a.name], "-" if math.isnan(a.authors_cold) else f"{a.authors_cold:.0f}",
                     result.started[a.name],
                     f"{a.allocated / a.memory_mb:.0f}", f"{result.seconds[a.name] + standing:.0f}"])
    table("By application (seed 1); *: with a standing instance, added here",
          ["application", "functions", "run (s)", "requests", "Hearth", "cold starts", "Hearth", "authors",
           "requests that waited", "instance seconds", "Hearth"], body)


def print_suspects(applications, result):
    """Applications whose memory says that an instance stood there too, but which nobody has named."""
    def excess(a):
        return a.allocated / a.memory_mb - result.seconds[a.name]

    suspects = [a for a in applications if a.name not in STANDING and abs(excess(a) - METERED_S) < 0.02 * METERED_S]
    if suspects:
        rest = [a for a in applications if a.name not in STANDING and a not in suspects]
        ours, cluster = total(rest, lambda a: result.seconds[a.name] * a.memory_mb), total(rest, lambda a: a.allocated)
        print(f"\nUp for {METERED_S} s more than Hearth says, within 2 %, and not among those named: "
              f"{', '.join(a.name for a in suspects)}. Memory without them and those named: {error(ours, cluster)}.")


def longer(start_up, run_time, sigma):
    """The probability that a log-normal start-up of this median takes longer than the run."""
    return 1 if run_time <= 0 else 0.5 * (1 + math.erf(math.log(start_up / run_time) / sigma / math.sqrt(2)))


def print_halves(applications, result, splits=50):
    """Fits start-up on a random half, tests it on the other."""
    grid = [(m / 10, s / 10) for m in range(5, 26) for s in range(2, 11)]
    expected = [[result.started[a.name] * longer(m, a.run_time, s) for a in applications] for m, s in grid]
    numbers, draw = range(len(applications)), random.Random(7)
    medians, colds, errors = [], [], []
    for _ in range(splits):
        order = sorted(numbers, key=lambda _: draw.random())
        fitted, tested = order[: len(order) // 2], order[len(order) // 2:]
        best = min(range(len(grid)), key=lambda g: math.fsum(abs(expected[g][i] - applications[i].cold) for i in fitted))
        cold = math.fsum(applications[i].cold for i in tested)
        if cold:
            medians.append(grid[best][0])
            colds.append(100 * (math.fsum(expected[best][i] for i in tested) / cold - 1))
            errors.append(100 * math.fsum(abs(expected[best][i] - applications[i].cold) for i in tested) / cold)
    body = [[name, f"{mean(x):{form}}", f"{quantile(x, 0.05):{form}}", f"{quantile(x, 0.95):{form}}"]
            for name, x, form in [("median of start-up that is fitted (s)", medians, ".2f"),
                                  ("cold starts on the other half (%)", colds, "+.1f"),
                                  ("sum of |errors| on the other half (%)", errors, ".1f")] if x]
    table(f"Start-up fitted on a random half of the applications, tested on the other; {splits} splits",
          ["", "mean", "5 %", "95 %"], body)


def draw(applications, result, path):
    told = [a for a in applications if not math.isnan(a.authors_cold)]
    top = 1.05 * max(1, *(max(a.cold, result.cold[a.name]) for a in applications), *(a.authors_cold for a in told))
    ticks = [(value, f"{value}") for value in (0, 10, 50, 100, 200, 400, 800, 1600, 3200) if value <= top]
    figure = figures.Figure(
        "Cold starts of each application on a Knative cluster",
        "Each point is an application: cold starts that were measured, across, and simulated, up. On the line both are equal.",
        figures.Axis("measured on the cluster", 0, top, ticks, "root"),
        figures.Axis("simulated", 0, top, ticks, "root"))
    figure.line([(0, 0), (top, top)], figures.GREY)
    figure.points([(a.cold, a.authors_cold) for a in told], figures.ORANGE, "authors' simulator", hollow=True)
    figure.points([(a.cold, result.cold[a.name]) for a in applications], figures.BLUE, "Hearth")
    figure.save(path)


def fail(why):
    print(f"error: {why}", file=sys.stderr)
    sys.exit(2)


def main(arguments):
    if len(arguments) not in (0, 2):
        fail("usage: femux.py [MEASURED.csv LOAD.csv.gz]")
    measured, load = arguments or (HERE / "data/femux_knative_measured.csv", HERE / "data/femux_concurrency_per_minute.csv.gz")
    output = folder("femux")
    try:
        applications = read(measured, load)
    except (OSError, EOFError, ValueError) as why:
        fail(why)
    write_workload(applications, output)
    results = [Result(applications, run(output / "scenario.json", output / "run", seed))
               for seed in range(1, 1 + int(os.environ.get("SEEDS") or 5))]
    print(f"# FeMux's Knative cluster: {len(applications)} applications, "
          f"{total(applications, lambda a: a.requests):.0f} requests")
    print_totals(applications, results)
    print_suspects(applications, results[0])
    print_applications(applications, results[0])
    print_halves(applications, results[0])
    print("""
Fitted, on the 57 applications in docs/validation/data: start-up (log-normal, median 1.1 s, sigma 0.6) to cold starts,
removal of an instance (0.7 s) to memory. Found in the same data: the windows that were counted and metered, the rule by
which a start counts as cold (latency at least twice the run time), and which six have a standing instance.
All else are Knative's defaults. Input: memory, busy memory and number of requests of each application, and the load.""")
    draw(applications, results[0], output / "cold-starts.svg")
    print(f"\nFigure: {shown(output / 'cold-starts.svg')}")


main(sys.argv[1:])
