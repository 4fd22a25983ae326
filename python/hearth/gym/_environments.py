"""The environments: the simulations are in Rust, here are their spaces, seeds and arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from hearth._hearth import Environments, learning_scenarios

KEEP_ALIVE_SCENARIO, AUTOSCALING_SCENARIO = (json.loads(text) for text in learning_scenarios())
"""The scenarios of environments that are given none, to be changed and passed as `scenario`."""

#: Seeds of scenarios are whole numbers that any JSON reader takes.
_SEEDS = 2**53

Scenario = str | os.PathLike[str] | Mapping[str, Any] | None
Seen = tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[int, dict[str, Any]]]]


def _source(scenario: Scenario) -> tuple[str | None, str | None]:
    """The path of a scenario, or its text; neither is the one that is given away."""
    if scenario is None:
        return None, None
    if isinstance(scenario, Mapping):
        return None, json.dumps(scenario)
    return os.fspath(scenario), None


def _keep_alive(
    num_envs: int,
    threads: int,
    scenario: Scenario = None,
    *,
    keep_for_s: Sequence[float] = (0, 1, 10, 60, 300, 600, 1800, 3600, 7200),
    cold_start_weight: float = 1.0,
    idle_memory_weight: float = 0.01,
) -> tuple[Environments, list[float]]:
    path, text = _source(scenario)
    actions = [float(time) for time in keep_for_s]
    weights = (cold_start_weight, idle_memory_weight)
    return Environments.keep_alive(path, text, actions, *weights, num_envs, threads), actions


def _autoscaling(
    num_envs: int,
    threads: int,
    scenario: Scenario = None,
    *,
    changes: Sequence[int] = (-10, -3, -1, 0, 1, 3, 10),
    waiting_weight: float = 0.1,
    instance_weight: float = 0.1,
    period_s: float = 2.0,
) -> tuple[Environments, list[int]]:
    path, text = _source(scenario)
    actions = [int(change) for change in changes]
    weights = (waiting_weight, instance_weight, period_s)
    return Environments.autoscaling(path, text, actions, *weights, num_envs, threads), actions


def _spaces(inner: Environments, actions: Sequence[float]) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Discrete]:
    observation = gymnasium.spaces.Box(0.0, 1.0, (len(inner.features),), np.float32)
    return observation, gymnasium.spaces.Discrete(len(actions))


def _arrays(seen: Any, width: int) -> Seen:
    observations, rewards, terminated, ends = seen
    shown = np.frombuffer(observations, np.float32).reshape(-1, width)
    return shown, np.frombuffer(rewards, np.float64), np.frombuffer(terminated, np.bool_), ends


def _scenario_seed(options: dict[str, Any] | None) -> Any:
    """The seed of the scenario that is asked for in the options of a reset, or those of many."""
    unknown = set(options or ()) - {"scenario_seed"}
    if unknown:
        raise ValueError(f"unknown options {sorted(unknown)}: expected scenario_seed alone")
    return None if options is None else options.get("scenario_seed")


class _Environment(gymnasium.Env[np.ndarray, np.int64]):
    """One environment: an episode is a scenario from its begin to its end."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, inner: Environments, actions: Sequence[float], render_mode: None) -> None:
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}: there is nothing to be rendered")
        self.render_mode = None
        self.features: list[str] = inner.features
        self.actions = list(actions)
        self.observation_space, self.action_space = _spaces(inner, actions)
        self._inner = inner

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode.

        The seed of the scenario is drawn from the random numbers of the environment, which `seed` begins anew; with
        `options={"scenario_seed": 7}` it is that one. Requests depend on it alone.
        """
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(_SEEDS))
        given = _scenario_seed(options)
        chosen = drawn if given is None else given
        observations, _, _, _ = _arrays(self._inner.begin([(0, chosen)], None), len(self.features))
        return observations[0], {"scenario_seed": chosen}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Decides; at the end of the episode the information says what came of it."""
        seen = self._inner.step(np.int64(action).tobytes())
        observations, rewards, terminated, ends = _arrays(seen, len(self.features))
        return observations[0], float(rewards[0]), bool(terminated[0]), False, ends[0][1] if ends else {}

    def summary(self) -> dict[str, Any] | None:
        """`summary.json` of the episode that has ended, until the next begins."""
        text = self._inner.summary(0)
        return None if text is None else json.loads(text)

    def close(self) -> None:
        """Ends the simulation and its thread."""
        self._inner.close()


class KeepAlive(_Environment):
    """How long is an idle container kept? `hearth/KeepAlive-v0`.

    `scenario` is a path, or a dictionary as the file has it; without it `KEEP_ALIVE_SCENARIO`. The actions are to keep
    the container for one of `keep_for_s`; the reward is minus `cold_start_weight` a second of waiting for cold starts
    and `idle_memory_weight` a second of idle memory of 10^9 bytes, since the last decision.
    """

    def __init__(self, scenario: Scenario = None, *, render_mode: None = None, **settings: Any) -> None:
        super().__init__(*_keep_alive(1, 1, scenario, **settings), render_mode)


class Autoscaling(_Environment):
    """How many instances has a function? `hearth/Autoscaling-v0`.

    `scenario` is a path, or a dictionary as the file has it; without it `AUTOSCALING_SCENARIO`. The actions are to want
    so many more instances, one of `changes`; a decision is due every `period_s` seconds, and when a function without
    instances is asked for. The reward is minus `waiting_weight` a second that a request waits and `instance_weight` a
    second of an instance.
    """

    def __init__(self, scenario: Scenario = None, *, render_mode: None = None, **settings: Any) -> None:
        super().__init__(*_autoscaling(1, 1, scenario, **settings), render_mode)


class _Vector(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many environments that go step by step together. Where an episode ends the next begins in the same step."""

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, inner: Environments, actions: Sequence[float], num_envs: int, render_mode: None) -> None:
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}: there is nothing to be rendered")
        self.render_mode = None
        self.num_envs = num_envs
        self.features: list[str] = inner.features
        self.actions = list(actions)
        self.single_observation_space, self.single_action_space = _spaces(inner, actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._inner = inner
        self._generators = [seeding.np_random()[0] for _ in range(num_envs)]
        self._next: list[int] | None = None
        self._truncated = np.zeros(num_envs, np.bool_)

    def _draw(self, number: int) -> int:
        return int(self._generators[number].integers(_SEEDS))

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode in each environment, which are those of single environments with the same seeds.

        A whole number is the seed of the first environment, and those of the others follow. With
        `options={"scenario_seed": [1, 2]}` the seeds of the scenarios are these for the episodes that begin now.
        """
        seeds: list[int | None] = [None] * self.num_envs
        if isinstance(seed, Sequence):
            seeds = list(seed)
        elif seed is not None:
            seeds = [seed + number for number in range(self.num_envs)]
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments: give one for each")
        chosen = [0] * self.num_envs
        for number, given in enumerate(seeds):
            if given is not None:
                self._generators[number] = seeding.np_random(given)[0]
            if self._next is not None and given is None:
                chosen[number] = self._next[number]
            else:
                chosen[number] = self._draw(number)
        given_seeds = _scenario_seed(options)
        if given_seeds is not None:
            chosen = [int(one) for one in given_seeds]
        if len(chosen) != self.num_envs:
            raise ValueError(f"{len(chosen)} scenario seeds for {self.num_envs} environments: give one for each")
        self._next = [self._draw(number) for number in range(self.num_envs)]
        seen = self._inner.begin(list(enumerate(chosen)), self._next)
        observations, _, _, _ = _arrays(seen, len(self.features))
        return observations, {"scenario_seed": np.array(chosen), "_scenario_seed": np.ones(self.num_envs, np.bool_)}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Decides in all. What came of an episode that has ended is in `final_info`; its `final_obs` is zeros."""
        seen = self._inner.step(np.asarray(actions, np.int64).tobytes())
        observations, rewards, terminated, ends = _arrays(seen, len(self.features))
        infos: dict[str, Any] = {}
        for number, end in ends:
            if self._next is not None:
                begun, self._next[number] = self._next[number], self._draw(number)
                self._inner.set_next(number, self._next[number])
                last = np.zeros(len(self.features), np.float32)
                told = {"final_obs": last, "final_info": end, "scenario_seed": begun}
                infos = self._add_info(infos, told, number)
        return observations, rewards, terminated, self._truncated.copy(), infos

    def close_extras(self, **kwargs: Any) -> None:
        """Ends all simulations and threads."""
        self._inner.close()


class KeepAliveVector(_Vector):
    """Many of `KeepAlive`, on so many threads; by default as many as the process may use."""

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Scenario = None,
        *,
        threads: int | None = None,
        render_mode: None = None,
        **settings: Any,
    ) -> None:
        made = _keep_alive(num_envs, threads or _processors(), scenario, **settings)
        super().__init__(*made, num_envs, render_mode)


class AutoscalingVector(_Vector):
    """Many of `Autoscaling`, on so many threads; by default as many as the process may use."""

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Scenario = None,
        *,
        threads: int | None = None,
        render_mode: None = None,
        **settings: Any,
    ) -> None:
        made = _autoscaling(num_envs, threads or _processors(), scenario, **settings)
        super().__init__(*made, num_envs, render_mode)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
