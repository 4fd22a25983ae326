"""Trains PPO to decide how long idle containers are kept, and compares what it has learned with the usual policies.

    pip install hearth-sim gymnasium numpy stable-baselines3
    python train_keep_alive.py

The network is written to a file and then runs as the compiled policy `learned`, on seeds that it was not trained on:
what is compared are runs of the command `hearth`, and no Python decides in them. Prints a table with 95 % intervals of
paired differences, and writes it as CSV.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

import hearth.gym

BASELINES = {
    "no-keep-alive": "no-keep-alive",
    **{f"fixed {time}": f"fixed,timeout={time}" for time in ("10s", "1min", "5min", "10min", "30min")},
    "hybrid-histogram": "hybrid-histogram",
    # What a cold start is worth in memory, on average over the functions: 2 s against 0.8 · 10^9 bytes.
    "adaptive 4min": "adaptive,break_even=4min",
}


class StableBaselinesVector(VecEnv):
    """A vector environment of Hearth as Stable-Baselines3 takes them: both begin the next episode at once."""

    def __init__(self, environments: hearth.gym.KeepAliveVector) -> None:
        self.environments = environments
        self.seed_of_reset: int | None = None
        super().__init__(environments.num_envs, environments.single_observation_space, environments.single_action_space)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """The seed of the next reset."""
        self.seed_of_reset = seed
        return [seed] * self.num_envs

    def reset(self) -> np.ndarray:
        """Begins an episode in each environment."""
        observations, _ = self.environments.reset(seed=self.seed_of_reset)
        self.seed_of_reset = None
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Takes the actions."""
        self.actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Does them."""
        observations, rewards, terminated, _, infos = self.environments.step(self.actions)
        told: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for number in np.flatnonzero(terminated):
            end = {name: values[number] for name, values in infos["final_info"].items() if not name.startswith("_")}
            told[number] = {
                "terminal_observation": infos["final_obs"][number],
                "episode": {"r": end["total_reward"], "l": int(end["decisions"]), "t": 0.0},
            }
        return observations, rewards.astype(np.float32), terminated, told

    def close(self) -> None:
        """Ends the environments."""
        self.environments.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute, of which all environments have the same."""
        return [getattr(self.environments, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing of single environments can be set."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Single environments have no methods."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: Any = None) -> list[bool]:
        """None is."""
        return [False] * self.num_envs


def train(steps: int, seed: int, path: Path) -> float:
    """Trains, writes the network, and gives the seconds that it took."""
    # The networks are so small that threads of PyTorch would only wait for each other.
    torch.set_num_threads(1)
    environments = hearth.gym.KeepAliveVector(64)
    vector = VecNormalize(StableBaselinesVector(environments), norm_obs=False, gamma=0.98)
    model = PPO(
        "MlpPolicy",
        vector,
        n_steps=128,
        batch_size=2048,
        n_epochs=6,
        learning_rate=lambda left: 1e-3 * left + 1e-5,
        gamma=0.98,
        gae_lambda=0.95,
        ent_coef=0.003,
        policy_kwargs={"net_arch": {"pi": [64, 64], "vf": [64, 64]}, "activation_fn": torch.nn.Tanh},
        seed=seed,
        device="cpu",
        verbose=1,
    )
    begun = time.monotonic()
    model.learn(steps, log_interval=40)
    took = time.monotonic() - begun
    hidden = [layer for layer in model.policy.mlp_extractor.policy_net if isinstance(layer, torch.nn.Linear)]
    layers = [(layer, "tanh") for layer in hidden] + [(model.policy.action_net, "none")]
    hearth.gym.save_network(
        path,
        environments,
        [hearth.gym.Layer(one.weight.detach().numpy(), one.bias.detach().numpy(), name) for one, name in layers],
    )
    differing(model, path, environments)
    environments.close()
    return took


def differing(model: PPO, path: Path, environments: hearth.gym.KeepAliveVector) -> None:
    """Counts how often PyTorch's arithmetic and Hearth's come to another decision, over an episode."""
    network = hearth.gym.Network(path, environments.features)
    environment = hearth.gym.KeepAlive()
    observation, _ = environment.reset(options={"scenario_seed": 1})
    decisions, others, terminated = 0, 0, False
    while not terminated:
        action = int(model.predict(observation, deterministic=True)[0])
        others += action != network.choose(observation)
        decisions += 1
        observation, _, terminated, _, _ = environment.step(action)
    environment.close()
    print(f"{others} of {decisions} decisions differ between PyTorch and the exported network")


def cost(hearth_command: str, scenario: Path, policy: str, seed: int) -> tuple[float, float]:
    """What a run of the command costs: seconds of waiting for cold starts, and seconds of 10^9 idle bytes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "run"
        options = ["--seed", str(seed), "--policy", f"keep_alive={policy}", "--output", str(output)]
        command = [hearth_command, "run", str(scenario), *options, "--invocations", "none", "--interval", "0"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        summary = json.loads((output / "summary.json").read_text())
    delay = summary["cold_start_delay"]
    return delay["mean"] * delay["count"], summary["memory_byte_seconds"]["idle"] / 1e9


def interval(values: np.ndarray) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval by Student's t."""
    # The quantile of 97.5 % by its series in 1/n (Cornish and Fisher), good to three digits from n = 10 on.
    n, z = len(values) - 1, 1.959964
    t = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    return float(values.mean()), t * float(values.std(ddof=1)) / math.sqrt(len(values))


def compare(hearth_command: str, network: Path, seeds: range, table: Path) -> None:
    """Runs all policies on the same seeds, prints a table and writes it."""
    policies = {**BASELINES, "learned": f'learned,network="{network}"'}
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "scenario.json"
        scenario.write_text(json.dumps(hearth.gym.KEEP_ALIVE_SCENARIO))
        costs = {
            name: np.array([cost(hearth_command, scenario, policy, seed) for seed in seeds])
            for name, policy in policies.items()
        }
    totals = {name: of @ np.array([1.0, 0.01]) for name, of in costs.items()}
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        head = "policy,cold_start_delay_s,idle_memory_gb_s,cost,difference_to_learned,half_width_95"
        writer.writerow(head.split(","))
        print(f"{'policy':<18}{'cold starts, s':>16}{'idle, GB s':>12}{'cost':>10}{'cost less that of learned':>30}")
        for name, of in costs.items():
            delay, idle = of.mean(axis=0)
            mean, half = interval(totals[name] - totals["learned"])
            difference = "" if name == "learned" else f"{mean:+.1f} ± {half:.1f}"
            print(f"{name:<18}{delay:>16.1f}{idle:>12.0f}{totals[name].mean():>10.1f}{difference:>30}")
            writer.writerow([name, *(f"{number:.6g}" for number in (delay, idle, totals[name].mean(), mean, half))])


def main() -> None:
    """Trains and compares."""
    parser = argparse.ArgumentParser(description="Train PPO to decide how long idle containers are kept.")
    parser.add_argument("--steps", type=int, default=3_000_000, help="decisions to train on")
    parser.add_argument("--seed", type=int, default=1, help="of the training")
    parser.add_argument("--seeds", type=int, default=50, help="how many scenarios to compare on")
    parser.add_argument("--network", type=Path, default=Path("network.json"), help="where the network is written")
    parser.add_argument("--table", type=Path, default=Path("comparison.csv"), help="where the table is written")
    parser.add_argument("--hearth", default="hearth", help="the command")
    arguments = parser.parse_args()
    took = train(arguments.steps, arguments.seed, arguments.network)
    print(f"trained on {arguments.steps} decisions in {took:.0f} s")
    compare(arguments.hearth, arguments.network.resolve(), range(1, arguments.seeds + 1), arguments.table)


if __name__ == "__main__":
    main()
