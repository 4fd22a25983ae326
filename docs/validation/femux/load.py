"""Requests of each application from the two files of the measurement (README.md, "Requests").

The load gives busy seconds by minute, the other file how many requests there were: how many came in a minute follows.
"""
import csv
import gzip
import math

# What the measurement covers, in minutes of the load; found from the data (README.md, "What was found").
COUNTED = (5, 1315)     # requests and cold starts: those that arrive in minutes 5 to 1 314
METERED = (10, 1189)    # memory
NOTHING = 0.004         # busy seconds that are rounding


class Application:
    """What was measured of an application, and its requests: `counts` by minute, each running for `run_time` seconds."""

    def __init__(self, row, busy):
        self.name, self.memory_mb = row["app"], float(row["memory_mb"])
        self.requests, self.cold = float(row["requests"]), float(row["knative_cold"])
        # What the authors' simulator says is not needed: nothing where there is nothing.
        self.authors_cold = float(row.get("authors_sim_cold_1310min") or "nan")
        self.allocated, self.used = float(row["knative_alloc_mb_s"]), float(row["knative_used_mb_s"])
        self.requests_of_day = float(row["trace_invocations_day"])
        self.counts, self.case = requests_by_minute(busy, self.requests, self.requests_of_day)
        metered = max(1, sum(self.counts[METERED[0]:METERED[1]]))
        self.run_time = self.used / self.memory_mb / metered

    def dates(self):
        """Evenly spaced within their minute, offset by half a gap: as the authors' generator of load has them."""
        for minute, count in enumerate(self.counts[:COUNTED[1]]):
            for i in range(count):
                yield 60 * minute + 60 * (i + 0.5) / count

    def counted(self):
        """Requests in the window in which they were counted."""
        return sum(self.counts[COUNTED[0]:COUNTED[1]])


def read(measured, load):
    """The applications of the two files, in the order of the first; ValueError or OSError say what is wrong with them."""
    with gzip.open(load, "rt", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        busy = {line[0]: [60 * float(cell) for cell in line[1:]] for line in lines}
    with open(measured, newline="") as file:
        table = list(csv.DictReader(file))
    columns = ("app", "memory_mb", "trace_invocations_day", "requests", "knative_cold", "knative_alloc_mb_s",
               "knative_used_mb_s")
    missing = [column for column in columns if not table or column not in table[0]]
    if missing:
        raise ValueError(f"{measured}: no rows, or no column {', '.join(missing)}")
    for row in table:
        if row["app"] not in busy:
            raise ValueError(f"{load}: no load of {row['app']}, which is in {measured}")
    applications = []
    for row in table:
        try:
            applications.append(Application(row, busy[row["app"]]))
        except ValueError as why:
            raise ValueError(f"{measured}: {row['app']}: {why}") from why
    return applications


def requests_by_minute(busy, seen, of_day):
    """(Requests by minute, which of the three cases it is.)"""
    first, last = COUNTED
    if max(busy) <= 0:                      # runs of less than a millisecond: the load says nothing
        rate = seen / (last - first)
        if rate <= 0:
            return [0] * len(busy), "even"
        if rate >= 1:
            return [round(rate)] * len(busy), "even"
        period = round(1 / rate)
        return [int(minute % period == 0) for minute in range(len(busy))], "even"
    if of_day <= 0:
        raise ValueError("there is load, but no request in the day")
    counts = counts_of(busy, math.fsum(busy) / of_day)
    is_all = abs(sum(counts) - of_day) <= 0.01 * of_day
    if is_all and abs(sum(counts[first:last]) - seen) <= max(1, 0.01 * seen):
        return counts, "one function"
    return largest_unit(busy, seen, of_day), "several"


def largest_unit(busy, seen, of_day):
    """Several functions: counts by the largest unit of work that gives as many requests as were seen."""
    first, last = COUNTED
    active = [seconds for seconds in busy if seconds > 0]
    low, high, total = min(active) / 60, 1.01 * max(active), math.fsum(active)
    inside = [seconds for seconds in busy[first:last] if seconds > NOTHING]
    best, chosen = math.inf, None
    for step in range(1499, -1, -1):
        unit = low * (high / low) ** (step / 1499)
        if total / unit > 2 * of_day:
            break
        if unit > 5:
            there = sum(counts_of(busy[:last], unit)[first:])
        else:                   # nothing is carried on: only the sum is needed
            there = sum([round(seconds / unit) or 1 for seconds in inside])
        if abs(there - seen) < best:
            best, chosen = abs(there - seen), unit
        if best == 0:
            break
    return counts_of(busy, chosen or total / of_day)


def counts_of(busy, run):
    """Requests by minute if each is busy for `run` seconds; what lasts beyond its minute is carried on."""
    if run <= 5:
        return [max(1, round(seconds / run)) if seconds > NOTHING else 0 for seconds in busy]
    counts = [0] * len(busy)
    carried = [0.0] * (len(busy) + int(run / 60) + 2)
    for minute, seconds in enumerate(busy):
        rest = seconds - carried[minute]
        if seconds <= NOTHING or rest <= NOTHING:
            continue
        counts[minute] = count = nearest_count(rest, run)
        for i in range(count):
            left, later = run - until_end(i, count), minute + 1
            while left > 0 and later < len(carried):
                carried[later] += min(left, 60)
                left, later = left - 60, later + 1
    return counts


def until_end(i, count):
    """Seconds from request `i` of `count` to the end of their minute."""
    return 60 - 60 * (i + 0.5) / count


def nearest_count(rest, run):
    """The smallest number of requests whose busy seconds within the minute are nearest to what is left."""
    best, chosen = math.inf, 1
    for count in range(1, int(rest / 5) + 3):
        inside = math.fsum(min(run, until_end(i, count)) for i in range(count))
        if abs(inside - rest) < best:
            best, chosen = abs(inside - rest), count
        if inside >= rest:      # more requests are busy for longer
            break
    return chosen
