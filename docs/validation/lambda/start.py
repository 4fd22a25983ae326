"""AWS Lambda's start by runtime and memory: does it hang on memory, and a scenario with its distribution by runtime.

    python3 start.py [MEASURED.csv]

README.md says what the data are. Writes scenario.json, whose functions are the runtimes.
"""
import json
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import figures                                                              # noqa: E402
from harness import HERE, error, folder, mean, quantile, rows, run, shown, table   # noqa: E402

SIZES = (128, 256, 512, 1024)
PERCENTS = (0, 5, 25, 50, 75, 95, 100)
STARTS = 400                                # of each function in the simulation
PERIOD = 60                                 # seconds between them: the instance before has ended


def read(path):
    """{runtime: {memory in MB: (start times in ms, mean run time in ms)}}, of archives on x86."""
    starts = defaultdict(dict)
    for row in rows(path):
        if row["package"] == "zip" and row["arch"] == "x86_64":
            times = [float(row[f"init_ms_{i}"]) for i in range(10) if row[f"init_ms_{i}"]]
            starts[row["runtime"]][int(row["memory_mb"])] = (times, float(row["mean_duration_ms"]))
    return {runtime: by_size for runtime, by_size in sorted(starts.items()) if set(SIZES) <= set(by_size)}


def all_starts(by_size):
    """Start times of all memory sizes together (ms)."""
    return [time for size in SIZES for time in by_size[size][0]]


def scenario(starts):
    """A function a runtime, with the percentiles of its start as a phase (s)."""
    functions = []
    for runtime, by_size in starts.items():
        times = all_starts(by_size)
        percentiles = [[percent, round(quantile(times, percent / 100) / 1000, 6)] for percent in PERCENTS]
        functions.append({
            "name": runtime, "ram_limit": "128MB", "body": [{"sleep": "1ms"}],
            "instances": {"concurrency": 1, "start": [{"phase": "runtime", "time": {"percentiles": percentiles}}]}})
    return {
        "format": "hearth-scenario/1", "name": "AWS Lambda: start by runtime", "seed": 1,
        "description": "Percentiles of the start of 2026-08-22, of archives on x86, over all memory sizes.",
        "platform": {"hosts": [{"name": "head", "cores": 1, "speed": "1Gf"},
                               {"name": "node", "count": 4, "cores": 64, "speed": "1Gf", "ram": "64GB"}]},
        "service": {"head": "head", "registry": "head", "nodes": ["node-*"]},
        "functions": functions,
        "policies": {"node_allocation": {"use": "least-loaded"},
                     "autoscaling": {"use": "lambda", "parameters": {"idle_timeout": "10s"}}},
        # Evenly spaced for each function.
        "workload": {"generate": {"arrivals": {"constant": {"rate": round(len(functions) / PERIOD, 6)}},
                                  "per_function": True, "duration_s": STARTS * PERIOD}},
    }


def simulated(starts, output):
    """{runtime: start times in ms}."""
    (output / "scenario.json").write_text(write(scenario(starts)), encoding="utf-8")
    times = defaultdict(list)
    for row in rows(run(output / "scenario.json", output / "run", 1) / "instances.csv"):
        times[row["function"]].append(1000 * (float(row["ready_at"]) - float(row["placed_at"])))
    return times


def write(value):
    """JSON with a function a line, which is how one reads it."""
    functions = ",\n".join("    " + json.dumps(function) for function in value["functions"])
    parts = [f"  {json.dumps(key)}: " + (f"[\n{functions}\n  ]" if key == "functions" else json.dumps(part))
             for key, part in value.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def draw(starts, path):
    chosen = [name for name in ("rust (prov.al2023)", "python3.12", "nodejs22.x", "java21") if name in starts]
    ticks = [(value, f"{value}") for value in (1, 2, 5, 10, 20, 50, 100, 200, 500)]
    figure = figures.Figure(
        "AWS Lambda: start (line) and run time (dashed) against memory",
        "Median start and mean run time at four memory sizes: starts do not change with memory, run times of Java do.",
        figures.Axis("memory (MB)", 115, 1150, [(size, f"{size}") for size in SIZES], "log"),
        figures.Axis("time (ms)", 0.8, 600, ticks, "log"))
    for name, colour in zip(chosen, (figures.GREEN, figures.BLUE, figures.GREY, figures.ORANGE)):
        figure.line([(size, quantile(starts[name][size][0], 0.5)) for size in SIZES], colour, name)
        figure.line([(size, starts[name][size][1]) for size in SIZES], colour, dashed=True)
    figure.save(path)


def main(arguments):
    starts = read(arguments[0] if arguments else HERE / "data/lambda_init_2026-08-22.csv")
    output = folder("lambda")
    ours = simulated(starts, output)
    body, spreads, ratios = [], [], []
    for runtime, by_size in starts.items():
        medians = [quantile(by_size[size][0], 0.5) for size in SIZES]
        runs = [by_size[size][1] for size in SIZES]
        times = all_starts(by_size)
        middle = quantile(times, 0.5)
        spreads.append(medians[-1] / medians[0] - 1)
        ratios.append(runs[0] / runs[-1])
        body.append([runtime, *(f"{median:.0f}" for median in medians), f"{100 * spreads[-1]:+.0f} %",
                     f"{100 * (quantile(times, 0.75) - quantile(times, 0.25)) / middle:.0f} %", f"{middle:.1f}",
                     f"{quantile(ours[runtime], 0.5):.1f}", error(quantile(ours[runtime], 0.5), middle),
                     f"{runs[0]:.1f}", f"{runs[-1]:.1f}"])
    print("# AWS Lambda's start by runtime and memory")
    table("Median start (ms) by memory (MB); Hearth's from the percentiles of all sizes together",
          ["runtime", *map(str, SIZES), "1024 against 128", "half of all within", "all sizes", "Hearth", "error",
           "run (ms) at 128", "at 1024"], body)
    print(f"""
With eight times the memory the median start is {100 * mean(spreads):+.1f} % longer in the mean of {len(starts)} runtimes \
(from {100 * min(spreads):+.0f} % to {100 * max(spreads):+.0f} %), and the run {quantile(ratios, 0.5):.1f} times as short \
in the median (at most {max(ratios):.1f}).
Fitted: the percentiles {', '.join(map(str, PERCENTS))} of each runtime's starts. Hearth does not stretch run times with memory.""")
    draw(starts, output / "start-against-memory.svg")
    print(f"\nFigure: {shown(output / 'start-against-memory.svg')}\nScenario: {shown(output / 'scenario.json')}")


main(sys.argv[1:])
