"""Networks as files, which the compiled policies of Hearth read: the format is `hearth-network/1`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from hearth import _hearth
from hearth.gym._environments import KeepAlive, KeepAliveVector


class Layer(NamedTuple):
    """A dense layer. `weights` has a row for each number that comes out, as PyTorch's `Linear.weight` has."""

    weights: np.ndarray
    biases: np.ndarray
    activation: Literal["none", "tanh", "relu"]


def save_network(
    path: str | os.PathLike[str], environment: KeepAlive | KeepAliveVector, layers: Iterable[Layer]
) -> None:
    """Writes a network that was trained in an environment, for the policy `learned`.

    The action whose number in the last layer is the greatest is the one that is taken.
    """
    network = {
        "format": "hearth-network/1",
        "decides": "keep_for_s",
        "features": environment.features,
        "actions": environment.actions,
        "layers": [
            {
                "weights": np.asarray(layer.weights, np.float32).tolist(),
                "biases": np.asarray(layer.biases, np.float32).tolist(),
                "activation": layer.activation,
            }
            for layer in layers
        ],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(network, file)
    # What the policy would refuse is refused here.
    Network(path, environment.features)


class Network:
    """A network from a file, computed as the policy `learned` does."""

    def __init__(self, path: str | os.PathLike[str], features: Sequence[str]) -> None:
        self._inner = _hearth.Network(os.fspath(path), "keep_for_s", list(features))

    def outputs(self, observation: np.ndarray) -> np.ndarray:
        """What comes out of the last layer: a number for each action."""
        return np.array(self._inner.outputs(np.asarray(observation, np.float32).tobytes()))

    def choose(self, observation: np.ndarray) -> int:
        """The action whose number is the greatest, of equals the first."""
        return int(self.outputs(observation).argmax())
