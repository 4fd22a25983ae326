"""Simulate serverless platforms: cold starts, keep-alive, placement, eviction."""

from hearth import trace
from hearth._hearth import VERSION as __version__
from hearth._hearth import HearthError, PolicyError, ScenarioError, SimulationError
from hearth.catalog import platform, platforms, policies, schema
from hearth.scenario import Scenario

__all__ = [
    "HearthError",
    "PolicyError",
    "Scenario",
    "ScenarioError",
    "SimulationError",
    "__version__",
    "platform",
    "platforms",
    "policies",
    "schema",
    "trace",
]
