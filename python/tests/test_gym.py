"""The environments of `hearth.gym`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402

import hearth  # noqa: E402
import hearth.gym  # noqa: E402


def small(requests: int = 60) -> dict[str, Any]:
    """The scenario that is given away, with few requests."""
    scenario = json.loads(json.dumps(hearth.gym.KEEP_ALIVE_SCENARIO))
    scenario["workload"]["generate"]["requests"] = requests
    return scenario


def play(environment: Any, decide: Any, **reset: Any) -> tuple[list[np.ndarray], list[float], dict[str, Any]]:
    """Observations, rewards and the last information of an episode."""
    observation, _ = environment.reset(**reset)
    observations, rewards, terminated = [observation], [], False
    while not terminated:
        observation, reward, terminated, truncated, info = environment.step(decide(observation))
        assert not truncated
        observations.append(observation)
        rewards.append(reward)
    return observations, rewards, info


@pytest.mark.parametrize("name", ["KeepAlive", "Autoscaling"])
def test_check_env_finds_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environment = gymnasium.make(f"hearth/{name}-v0")
        check_env(environment.unwrapped)
        environment.close()


def test_the_seed_decides_about_requests_and_actions_do_not() -> None:
    environment = hearth.gym.KeepAlive(small())
    _, _, short = play(environment, lambda _: 0, seed=3)
    _, rewards, long = play(environment, lambda _: 8, seed=3)
    assert short["scenario_seed"] == long["scenario_seed"] and short["cold_starts"] == 60 > long["cold_starts"]
    assert short["total_reward"] != long["total_reward"] == pytest.approx(sum(rewards))
    assert play(environment, lambda _: 8, seed=3)[1] == rewards
    following = play(environment, lambda _: 8)[2]["scenario_seed"]
    assert following != long["scenario_seed"]
    assert play(environment, lambda _: 8, seed=4)[2]["scenario_seed"] not in (following, long["scenario_seed"])
    assert play(environment, lambda _: 8, options={"scenario_seed": 5})[2]["scenario_seed"] == 5
    with pytest.raises(ValueError, match=r"unknown options \['sed'\]: expected scenario_seed alone"):
        environment.reset(options={"sed": 5})


def test_a_constant_action_costs_what_the_summary_says() -> None:
    environment = hearth.gym.KeepAlive(small(300))
    assert environment.summary() is None
    _, _, info = play(environment, lambda _: 3, options={"scenario_seed": 9})
    summary = environment.summary()
    assert summary is not None and summary["seed"] == 9
    delay = summary["cold_start_delay"]
    assert info["cold_start_delay_s"] == pytest.approx(delay["mean"] * delay["count"])
    assert info["idle_memory_gb_s"] == pytest.approx(summary["memory_byte_seconds"]["idle"] / 1e9)
    assert -info["total_reward"] == pytest.approx(info["cold_start_delay_s"] + 0.01 * info["idle_memory_gb_s"])
    environment.reset()
    assert environment.summary() is None


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_many_are_what_single_ones_are(threads: int) -> None:
    many = gymnasium.make_vec("hearth/KeepAlive-v0", num_envs=3, scenario=small(), threads=threads)
    single = [hearth.gym.KeepAlive(small()) for _ in range(3)]
    shown, infos = many.reset(seed=11)
    expected = [environment.reset(seed=11 + number) for number, environment in enumerate(single)]
    assert [info["scenario_seed"] for _, info in expected] == infos["scenario_seed"].tolist()
    actions = np.random.default_rng(1).integers(0, 9, (200, 3))
    ended = 0
    for step in range(200):
        assert (shown == np.stack([observation for observation, _ in expected])).all(), step
        if step == 150:
            shown, _ = many.reset()
            expected = [environment.reset() for environment in single]
        shown, rewards, terminated, truncated, infos = many.step(actions[step])
        moved = [environment.step(action) for environment, action in zip(single, actions[step])]
        assert rewards.tolist() == [of[1] for of in moved] and not truncated.any()
        assert terminated.tolist() == [of[2] for of in moved]
        expected = [(of[0], {}) for of in moved]
        for number in np.flatnonzero(terminated):
            ended += 1
            assert (infos["final_obs"][number] == moved[number][0]).all() and infos["_final_obs"][number]
            assert infos["final_info"]["total_reward"][number] == moved[number][4]["total_reward"]
            expected[number] = single[number].reset()
            assert infos["scenario_seed"][number] == expected[number][1]["scenario_seed"]
    assert ended == 6
    many.close()


def test_seeds_of_many_are_given_one_for_each() -> None:
    many = hearth.gym.KeepAliveVector(2, small())
    first, _ = many.reset(seed=[5, None])
    again, _ = many.reset(seed=[5, 6])
    assert (first[0] == again[0]).all() and first.shape == (2, 20)
    assert many.reset(options={"scenario_seed": [1, 2]})[1]["scenario_seed"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="1 seeds for 2 environments"):
        many.reset(seed=[1])
    with pytest.raises(ValueError, match="1 scenario seeds for 2 environments"):
        many.reset(options={"scenario_seed": [1]})
    many.reset(seed=1)
    with pytest.raises(hearth.ScenarioError, match="1 actions for 2 environments: give one for each"):
        many.step(np.array([1]))


def random_network(path: Path, environment: Any) -> list[hearth.gym.Layer]:
    """A network with weights that were drawn."""
    random = np.random.default_rng(7)
    sizes = [len(environment.features), 32, 16, len(environment.actions)]
    layers = []
    for number, activation in enumerate(("tanh", "relu", "none")):
        weights = random.normal(0, 1, (sizes[number + 1], sizes[number])).astype(np.float32)
        biases = random.normal(0, 0.1, sizes[number + 1]).astype(np.float32)
        layers.append(hearth.gym.Layer(weights, biases, activation))  # type: ignore[arg-type]
    hearth.gym.save_network(path, environment, layers)
    return layers


def forward(layers: list[hearth.gym.Layer], observation: np.ndarray) -> np.ndarray:
    """What comes out of a network by numpy, in 32 bits as PyTorch has it."""
    for weights, biases, activation in layers:
        observation = weights @ observation + biases
        observation = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "none": lambda x: x}[activation](
            observation
        )
    return observation


def test_a_network_decides_in_python_as_it_does_compiled(tmp_path: Path) -> None:
    environment = hearth.gym.KeepAlive(small(400))
    path = tmp_path / "network.json"
    layers = random_network(path, environment)
    network = hearth.gym.Network(path, environment.features)
    taken = set()

    def decide(observation: np.ndarray) -> int:
        outputs = forward(layers, observation)
        assert network.outputs(observation) == pytest.approx(outputs, abs=1e-4)
        taken.add(int(outputs.argmax()))
        return int(outputs.argmax())

    play(environment, decide, options={"scenario_seed": 3})
    expected = environment.summary()
    assert len(taken) > 2
    learned = {"use": "learned", "parameters": {"network": str(path)}}
    scenario = small(400)
    scenario["policies"]["keep_alive"] = learned
    summary = run(scenario, 3, tmp_path)
    assert expected is not None and {**summary, "policies": None} == {**expected, "policies": None}


def command() -> list[str]:
    """The command `hearth`: that of the package, or one that was built beside it."""
    if importlib.util.find_spec("hearth.__main__") is not None:
        return [sys.executable, "-m", "hearth"]
    target = Path(__file__).parents[2] / "target"
    built = [target / profile / "hearth" for profile in ("release", "debug") if (target / profile / "hearth").exists()]
    if not built:
        pytest.skip("there is no command hearth: cargo build -p hearth-sim")
    return [str(built[0])]


def run(scenario: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """The summary of a run of a scenario as it is."""
    path = folder / "scenario.json"
    path.write_text(json.dumps(scenario))
    arguments = ["run", str(path), "--seed", str(seed), "--output", str(folder / "run")]
    subprocess.run([*command(), *arguments], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return json.loads((folder / "run" / "summary.json").read_text())


def test_a_network_of_something_else_is_refused(tmp_path: Path) -> None:
    environment = hearth.gym.KeepAlive(small())
    path = tmp_path / "network.json"
    random_network(path, environment)
    with pytest.raises(
        hearth.ScenarioError, match=r'network.json: features\[0\] is "idle_times_seen": expected "colour"'
    ):
        hearth.gym.Network(path, ["colour"])
    wrong = hearth.gym.Layer(np.zeros((2, 20)), np.zeros(2), "none")
    with pytest.raises(hearth.ScenarioError, match="2 numbers come out of the last layer, for 9 actions"):
        hearth.gym.save_network(path, environment, [wrong])


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    scenario = small()
    scenario["policies"]["node_allocation"] = {"use": "nowhere"}
    with pytest.raises(
        hearth.ScenarioError, match='policies.node_allocation: unknown node allocation policy "nowhere"'
    ):
        hearth.gym.KeepAlive(scenario)
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({**small(), "seeds": 1}))
    with pytest.raises(hearth.ScenarioError, match="unknown field `seeds`"):
        hearth.gym.KeepAlive(path)
    with pytest.raises(hearth.ScenarioError, match="scenario.json"):
        hearth.gym.KeepAlive(tmp_path / "nowhere" / "scenario.json")
    with pytest.raises(hearth.ScenarioError, match="keep_for_s has -1 s: expected times from 0 on"):
        hearth.gym.KeepAlive(small(), keep_for_s=[0, -1])
    with pytest.raises(hearth.ScenarioError, match="num_envs is 0: expected at least 1"):
        hearth.gym.KeepAliveVector(0)
    with pytest.raises(ValueError, match="render_mode is 'human'"):
        hearth.gym.KeepAlive(render_mode="human")  # type: ignore[arg-type]
    environment = hearth.gym.KeepAlive(small())
    with pytest.raises(hearth.HearthError, match="no episode is under way: reset the environment first"):
        environment.step(0)
    environment.reset()
    with pytest.raises(hearth.ScenarioError, match="action 9: expected 0 to 8"):
        environment.step(9)
    with pytest.raises(hearth.ScenarioError, match="action -1: expected 0 to 8"):
        environment.step(-1)
    environment.close()
    environment.close()
    with pytest.raises(hearth.HearthError, match="the environments are closed: make new ones"):
        environment.reset()


def memory() -> int:
    """Bytes of this process in memory."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is looked up in /proc")
def test_what_is_dropped_half_way_leaves_nothing_behind() -> None:
    def drop(times: int) -> None:
        for number in range(times):
            environment = hearth.gym.KeepAliveVector(4, small(), threads=2)
            environment.reset(seed=number)
            environment.step(np.full(4, 5))

    drop(50)
    before = memory()
    threads = len(list(Path("/proc/self/task").iterdir()))
    drop(300)
    assert memory() - before < 20e6
    assert len(list(Path("/proc/self/task").iterdir())) == threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_that_was_forked_is_told_to_make_its_own() -> None:
    program = """
import os
import hearth.gym
environment = hearth.gym.KeepAlive()
environment.reset(seed=1)
child = os.fork()
if child == 0:
    try:
        environment.step(0)
    except hearth.HearthError as error:
        print(error, flush=True)
    del environment
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
environment.step(0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the environments were made in another process: make them in the one that steps them\n"


def test_instances_are_scaled_at_each_tick() -> None:
    environment = hearth.gym.Autoscaling(changes=[0, 1, 5], period_s=5)
    steps = iter([2] + [1] * 3 + [0] * 1000)
    _, rewards, info = play(environment, lambda _: next(steps), options={"scenario_seed": 2})
    # Of 900 s.
    assert 180 <= len(rewards) <= 190 and info["instance_s"] == pytest.approx(8 * 900, rel=0.05)
    assert -info["total_reward"] == pytest.approx(0.1 * info["waiting_request_s"] + 0.1 * info["instance_s"])


def test_nothing_of_gymnasium_is_needed_to_import_hearth() -> None:
    program = "import sys, hearth; assert not {'gymnasium', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
