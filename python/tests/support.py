"""Scenarios and policies that several tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hearth

PROJECT = Path(__file__).parents[2]
QUICKSTART = PROJECT / "examples" / "quickstart.json"


def generated(requests: int, rate: float = 4.0) -> dict[str, Any]:
    """A scenario of so many requests, drawn for each seed."""
    return {
        "format": "hearth-scenario/1",
        "name": "drawn",
        "seed": 1,
        "platform": {"hosts": [{"name": "node", "cores": 32, "speed": "10Gf", "ram": "16GB"}]},
        "service": {"head": "node", "registry": "node", "nodes": ["node"]},
        "workload": {
            "generate": {
                "arrivals": {"poisson": {"rate": rate}},
                "requests": requests,
                "functions": {"count": 20, "zipf": 1.1, "ram": {"choice": [128e6, 256e6, 1e9]}},
                "run_time": {"lognormal": {"median": 0.4, "sigma": 1}},
            }
        },
        "policies": {
            "node_allocation": {"use": "first-fit"},
            "keep_alive": {"use": "fixed", "parameters": {"timeout": "1h"}},
        },
    }


def library(crate: str) -> Path:
    """A compiled policy, built if it is not there."""
    build = ["cargo", "rustc", "--quiet", "-p", crate, "--lib", "--crate-type", "cdylib"]
    subprocess.run(build, cwd=PROJECT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
    ending = "dylib" if sys.platform == "darwin" else "so"
    return target / "debug" / f"lib{crate.replace('-', '_')}.{ending}"


class LeastLoaded(hearth.NodeAllocation):
    """The node with the fewest invocations that has a free core."""

    def place(self, request: Any, cluster: Any) -> int | None:
        return min(cluster.free_core, key=lambda node: (cluster.node(node).running, node), default=None)


class TenTimes(hearth.KeepAlive):
    """Keeps containers for a multiple of their run time."""

    def __init__(self, factor: float = 10.0) -> None:
        self.factor = factor

    def on_idle(self, completion: Any) -> float:
        return self.factor * completion.run_time  # type: ignore[no-any-return]
