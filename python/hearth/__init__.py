"""Simulate serverless platforms: cold starts, keep-alive, placement, eviction."""

from hearth._hearth import VERSION as __version__
from hearth._hearth import HearthError, PolicyError, ScenarioError, SimulationError

__all__ = ["HearthError", "PolicyError", "ScenarioError", "SimulationError", "__version__"]
