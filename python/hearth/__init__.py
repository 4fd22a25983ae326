"""Simulate serverless platforms: cold starts, keep-alive, placement, eviction.

>>> import hearth
>>> run = hearth.run("examples/quickstart.json", seed=1)
>>> run.summary["invocations"]
34
"""

from hearth import trace
from hearth._figures import Figure, Figures
from hearth._hearth import VERSION as __version__
from hearth._hearth import HearthError, PolicyError, ScenarioError, SimulationError
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
