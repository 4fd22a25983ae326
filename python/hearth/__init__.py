"""Simulate serverless platforms: cold starts, keep-alive, placement, eviction.

>>> import hearth
>>> run = hearth.run("examples/quickstart.json", seed=1)
>>> run.summary["invocations"]
34
"""

from hearth._hearth import VERSION as __version__
from hearth._hearth import HearthError, PolicyError, ScenarioError, SimulationError

# For type checkers alone: whoever imports the package waits for what is used of it, and for no more.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from hearth import catalog as catalog
    from hearth import policy as policy
    from hearth import scenario as scenario
    from hearth import trace
    from hearth._figures import Figure, Figures
    from hearth._policies import check_policy
    from hearth._run import Run, Stream, run, stream
    from hearth._sweep import Comparison, compare, sweep
    from hearth._tables import Table
    from hearth.catalog import platform, platforms, policies, schema
    from hearth.policy import (
        Admission,
        Autoscaling,
        BatchAllocation,
        Busy,
        Cold,
        Delay,
        Eviction,
        KeepAlive,
        NodeAllocation,
        Policy,
        Queue,
        Reject,
        Warm,
    )
    from hearth.scenario import Scenario

__all__ = [
    "Admission",
    "Autoscaling",
    "BatchAllocation",
    "Busy",
    "Cold",
    "Comparison",
    "Delay",
    "Eviction",
    "Figure",
    "Figures",
    "HearthError",
    "KeepAlive",
    "NodeAllocation",
    "Policy",
    "PolicyError",
    "Queue",
    "Reject",
    "Run",
    "Scenario",
    "ScenarioError",
    "SimulationError",
    "Stream",
    "Table",
    "Warm",
    "__version__",
    "check_policy",
    "compare",
    "platform",
    "platforms",
    "policies",
    "run",
    "schema",
    "stream",
    "sweep",
    "trace",
]

_PARTS = {
    "hearth._figures": ("Figure", "Figures"),
    "hearth._policies": ("check_policy",),
    "hearth._run": ("Run", "Stream", "run", "stream"),
    "hearth._sweep": ("Comparison", "compare", "sweep"),
    "hearth._tables": ("Table",),
    "hearth.catalog": ("platform", "platforms", "policies", "schema"),
    "hearth.policy": (
        "Admission",
        "Autoscaling",
        "BatchAllocation",
        "Busy",
        "Cold",
        "Delay",
        "Eviction",
        "KeepAlive",
        "NodeAllocation",
        "Policy",
        "Queue",
        "Reject",
        "Warm",
    ),
    "hearth.scenario": ("Scenario",),
}
_HOMES = {name: home for home, names in _PARTS.items() for name in names}
_MODULES = ("catalog", "policy", "scenario", "trace")


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import importlib

        if name in _MODULES:
            return importlib.import_module(f"hearth.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'hearth' has no attribute {name!r}")
        value: object = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
