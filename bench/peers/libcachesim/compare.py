"""A decision of a policy in Python, in Hearth and in libCacheSim's `PluginCache`, side by side in one process.

libCacheSim runs the least-recently-used order over an `OrderedDict`, which it asks by hooks at each request of a cache of objects; what
its own LRU takes for the same trace is taken off. Hearth runs node allocation that is asked once for each request, on one node, so that
all answer the same, and what the compiled `first-fit` takes is taken off. What is left is what a decision in Python costs, the policy's
own lines included. Processor seconds of the process, the least of several turns, as others on the machine only ever add to them.

    pip install libcachesim numpy, and Hearth (`pip install .`); then: python bench/peers/libcachesim/compare.py
"""

from __future__ import annotations

import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hearth
import libcachesim
import numpy

REQUESTS = 1_000_000
OBJECTS = 5_000
TURNS = 5


class FirstFree(hearth.NodeAllocation):
    """The first node with a free core."""

    def place(self, request: Any, cluster: Any) -> int | None:
        node: int | None = cluster.free_core.first()
        return node


class First(hearth.NodeAllocation):
    """Node 0: nothing but the call."""

    def place(self, request: Any, cluster: Any) -> int:
        return 0


def scenario() -> dict[str, Any]:
    """A node that is large enough for all that run at once, and too small for a container of each function."""
    generator = {
        "arrivals": {"poisson": {"rate": 1000}},
        "requests": REQUESTS,
        "functions": {"count": OBJECTS, "zipf": 1.0, "ram": {"constant": 100e6}, "cold_start": {"constant": 0.0}},
        "run_time": {"constant": 0.001},
    }
    return {
        "format": "hearth-scenario/1",
        "platform": {"hosts": [{"name": "node", "cores": 1000, "speed": "1Gf", "ram": "50GB"}]},
        "service": {"head": "node", "registry": "node", "nodes": ["node"]},
        "workload": {"generate": generator},
        "policies": {
            "keep_alive": {"use": "fixed", "parameters": {"timeout": "1d"}},
            "node_allocation": {"use": "first-fit"},
        },
    }


def hearth_run(policies: Any) -> hearth.Run:
    """The run with these policies."""
    return hearth.run(scenario(), policies=policies, invocations=False, interval=None, threads=1)


def trace(folder: Path) -> Path:
    """As many requests of as many objects, by the same law."""
    weights = 1.0 / numpy.arange(1, OBJECTS + 1)
    objects = numpy.random.default_rng(1).choice(OBJECTS, REQUESTS, p=weights / weights.sum())
    file = folder / "trace.csv"
    numpy.savetxt(file, numpy.column_stack([numpy.arange(REQUESTS), objects, numpy.ones_like(objects)]), "%d", ",")
    return file


def reader(file: Path) -> Any:
    """The trace, as libCacheSim reads it: in C++."""
    columns = libcachesim.ReaderInitParam(delimiter=",")
    columns.time_field, columns.obj_id_field, columns.obj_size_field = 1, 2, 3
    return libcachesim.TraceReader(str(file), libcachesim.TraceType.CSV_TRACE, columns)


def plugin(counts: dict[str, int] | None) -> Any:
    """The same order as hooks of libCacheSim; calls are counted if there is something to count them in."""

    def init(_: Any) -> OrderedDict[int, None]:
        return OrderedDict()

    def hit(items: OrderedDict[int, None], request: Any) -> None:
        items.move_to_end(request.obj_id)

    def miss(items: OrderedDict[int, None], request: Any) -> None:
        items[request.obj_id] = None

    def evict(items: OrderedDict[int, None], request: Any) -> int:
        return items.popitem(last=False)[0]

    def remove(items: OrderedDict[int, None], id: int) -> None:
        items.pop(id, None)

    def counted(name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
        def counts_too(*arguments: Any) -> Any:
            assert counts is not None
            counts[name] = counts.get(name, 0) + 1
            return hook(*arguments)

        return hook if counts is None else counts_too

    hooks = {"hit": hit, "miss": miss, "eviction": evict, "remove": remove}
    hooks = {name: counted(name, hook) for name, hook in hooks.items()}
    return libcachesim.PluginCache(
        500,
        cache_init_hook=init,
        cache_hit_hook=hooks["hit"],
        cache_miss_hook=hooks["miss"],
        cache_eviction_hook=hooks["eviction"],
        cache_remove_hook=hooks["remove"],
        cache_free_hook=lambda _: None,
        cache_name="lru",
    )


def processor_seconds(work: Callable[[], Any]) -> float:
    """What the process takes for it."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Takes turns, and prints what a call costs."""
    folder = tempfile.TemporaryDirectory()
    file = trace(Path(folder.name))
    counts: dict[str, int] = {}
    plugin(counts).process_trace(reader(file))
    hooks = sum(counts.values())
    ways = {
        "hearth, compiled": lambda: hearth_run(None),
        "hearth, First": lambda: hearth_run({"node_allocation": First}),
        "hearth, FirstFree": lambda: hearth_run({"node_allocation": FirstFree}),
        "libCacheSim, compiled": lambda: libcachesim.LRU(500).process_trace(reader(file)),
        "libCacheSim, PluginCache": lambda: plugin(None).process_trace(reader(file)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            taken[name].append(processor_seconds(way))
    seconds = {name: min(all) for name, all in taken.items()}
    for name, least in seconds.items():
        print(f"{name:28}{least:8.2f} s")
    all_hooks = seconds["libCacheSim, PluginCache"] - seconds["libCacheSim, compiled"]
    print(f"\na request of PluginCache    {1e9 * all_hooks / REQUESTS:8.0f} ns, in {hooks / REQUESTS:.2f} hooks")
    for name in ("First", "FirstFree"):
        one = (seconds[f"hearth, {name}"] - seconds["hearth, compiled"]) / REQUESTS
        print(f"a decision of {name:14}{1e9 * one:8.0f} ns, {all_hooks / REQUESTS / one:.1f} times as fast")


if __name__ == "__main__":
    main()
