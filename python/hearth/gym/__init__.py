"""Gymnasium environments in which policies of serverless platforms learn.

`import hearth.gym` registers `hearth/KeepAlive-v0` and `hearth/Autoscaling-v0`, for `gymnasium.make` and
`gymnasium.make_vec`. What is seen, decided and paid is said in docs/learning.md.
"""

from gymnasium.envs.registration import register

from hearth.gym._environments import (
    AUTOSCALING_SCENARIO,
    KEEP_ALIVE_SCENARIO,
    Autoscaling,
    AutoscalingVector,
    KeepAlive,
    KeepAliveVector,
)
from hearth.gym._network import Layer, Network, save_network

for _name in ("KeepAlive", "Autoscaling"):
    register(
        id=f"hearth/{_name}-v0",
        entry_point=f"hearth.gym:{_name}",
        vector_entry_point=f"hearth.gym:{_name}Vector",
    )

__all__ = [
    "AUTOSCALING_SCENARIO",
    "KEEP_ALIVE_SCENARIO",
    "Autoscaling",
    "AutoscalingVector",
    "KeepAlive",
    "KeepAliveVector",
    "Layer",
    "Network",
    "save_network",
]
