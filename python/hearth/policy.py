"""Policies in Python: subclass one of these, and give the class where a policy is named.

A class is made anew for every run; an instance is copied for every run (and for every storage, of eviction), so that runs
share nothing. Times are seconds, amounts are bytes. What is shown of the cluster is there during the call alone; all other
arguments are copies, which may be kept.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import pickle
from typing import TYPE_CHECKING, Any, ClassVar

from hearth._hearth import Busy, Cold, Delay, Queue, Reject, Warm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from hearth import _hearth as views

__all__ = [
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
]


class Policy:
    """What all policies have. Methods that begin with ``on_`` are called if a class has them."""

    name: ClassVar[str | None] = None
    """What results call the policy; without it, the name of the class."""

    context: views.Context
    """What the instance is made for, and what it can have done, from `setup` on."""

    def setup(self, context: views.Context) -> None:
        """The instance is about to serve. `context` has a seed, the number of nodes, and what the policy can have done."""
        self.context = context


class _Hears(Policy):
    sees_history: ClassVar[bool] = False
    """Whether to be shown what has come of each function so far."""

    def on_container(self, event: views.ContainerEvent) -> None:
        """Something has become of a container."""

    def on_timer(self, timer: int, cluster: views.Cluster) -> None:
        """A timer has gone off that was set with `context.wake_at`."""

    def on_workflow(self, workflow: dict[str, Any]) -> None:
        """There is a workflow, of which requests will be tasks."""


class _Allocates(_Hears):
    commitment: ClassVar[Literal["until_started", "per_round"]] = "until_started"
    """Whether an answer binds until the invocation has started, or is one for its round alone."""

    def observe(self, node: int, view: views.Node, up: bool) -> None:
        """A node has changed since the last decision."""

    def observe_link(self, link: views.Link) -> None:
        """A link has changed since the last decision."""

    def on_end(self, end: views.End) -> None:
        """An attempt has ended, or is back in the queue."""

    def source(self, copy: views.Copy) -> int | None:
        """From which of `copy.holders` an image is copied to a node; None is the head."""
        return None


class NodeAllocation(_Allocates):
    """Says on which node an invocation runs.

    >>> import hearth
    >>> class FirstFree(hearth.NodeAllocation):
    ...     def place(self, request, cluster):
    ...         return cluster.free_core.first()
    """

    answers_hold: ClassVar[bool] = False
    """Whether answers hang on the sets of nodes alone, so that none is asked for again while these are the same."""
    hedges: ClassVar[bool] = False
    """Whether it calls `context.hedge`."""
    queues: ClassVar[bool] = False
    """Whether it is asked also while no node has a free core, as it must be to answer `Queue`."""

    def place(
        self, request: views.Request, cluster: views.Cluster
    ) -> int | Warm | Cold | Busy | Queue | Reject | None:
        """Where a request runs: the number of a node of `cluster.free_core`; None waits."""
        raise NotImplementedError(f"{type(self).__name__} has no place(request, cluster)")

    def rank(self, request: views.Request, now: float) -> int:
        """The place of a request in the queue: lower ranks come first."""
        return 0

    def shed(self, queue: views.WaitingQueue) -> int | tuple[int, Reject] | None:
        """Which of `queue.heads` is rejected, if any: its place there, alone or with a `Reject`."""
        return None

    def on_delayed_start(self, start: views.DelayedStart) -> None:
        """One that waited for a busy container, or stood in queues of nodes, has got its place."""


class BatchAllocation(_Allocates):
    """Decides about the whole queue at once.

    >>> import hearth
    >>> class OneEach(hearth.BatchAllocation):
    ...     def plan(self, batch):
    ...         return zip(range(len(batch.queue)), batch.up)
    """

    def plan(self, batch: views.Batch) -> Iterable[tuple[Any, ...]]:
        """Decisions in their order: pairs of a place in `batch.queue` and a node (or `Warm` or `Cold`), and
        ``("load", image, node)`` or ``("copy", image, node)``."""
        raise NotImplementedError(f"{type(self).__name__} has no plan(batch)")


class Eviction(Policy):
    """Says which idle containers, or images, go when room is needed. Each storage has an instance of its own.

    >>> import hearth
    >>> class Cheapest(hearth.Eviction):
    ...     def __init__(self):
    ...         self.items = {}
    ...     def insert(self, item):
    ...         self.items[item.id] = item.cost
    ...     def remove(self, id, why, now):
    ...         del self.items[id]
    ...     def choose(self, need):
    ...         return sorted(self.items, key=lambda id: (self.items[id], id))
    """

    hears_late: ClassVar[bool] = False
    """Whether it is enough to hear of idle containers when it is asked to choose."""

    def insert(self, item: views.Item) -> None:
        """An item may be evicted from now on, as the newest."""

    def touch(self, id: int, why: str, now: float) -> None:
        """An item was used: ``"use"``, or ``"load"`` of an image from this disk into RAM."""

    def remove(self, id: int, why: str, now: float) -> None:
        """An item is gone: ``"evicted"``, ``"taken"`` or ``"ended"``."""

    def choose(self, need: views.Need) -> Iterable[int]:
        """The ids of items, those that go first before others. No more are asked for than are needed."""
        raise NotImplementedError(f"{type(self).__name__} has no choose(need)")

    def created(self, container: views.Item, why: str) -> None:
        """A container was made, for an ``"invocation"`` or for ``"prewarming"``."""

    def ended(self, id: int, now: float) -> None:
        """A container in use has ended."""

    def on_timer(self, timer: int, now: float) -> None:
        """A timer has gone off that was set with `context.wake_at`."""


class Admission(_Hears):
    """Says which requests are let in.

    >>> import hearth
    >>> class NoQueue(hearth.Admission):
    ...     def admit(self, request, load, cluster):
    ...         return load.waiting < 100 or hearth.Reject("too many wait")
    """

    def admit(self, request: views.Request, load: views.Load, cluster: views.Cluster) -> bool | Reject | Delay:
        """Whether a request is let in."""
        raise NotImplementedError(f"{type(self).__name__} has no admit(request, load, cluster)")

    def on_end(self, end: views.End) -> None:
        """An attempt has ended that was let in."""


class KeepAlive(_Hears):
    """Says how long idle containers stay.

    >>> import hearth
    >>> class TenTimes(hearth.KeepAlive):
    ...     def on_idle(self, completion):
    ...         return 10 * completion.run_time
    """

    def on_idle(self, completion: views.Completion) -> float:
        """For how many seconds a container is kept that has become idle: 0 ends it at once, `math.inf` keeps it."""
        raise NotImplementedError(f"{type(self).__name__} has no on_idle(completion)")

    def on_arrival(self, function: int, now: float) -> None:
        """A request of a function was submitted."""

    def prewarm(self, completion: views.Completion) -> tuple[float, float] | None:
        """After how many seconds a container is started for the next request, and for how many it is kept."""
        return None


class Autoscaling(Policy):
    """Says how many instances functions have, and how many nodes pools have.

    >>> import hearth
    >>> class OnePerRequest(hearth.Autoscaling):
    ...     def scale(self, instances):
    ...         return instances.waiting + instances.running
    """

    period: float = 2.0
    """How many seconds it is from one tick to the next; 0 is never."""
    asked_on_requests: ClassVar[bool] = False
    """Whether it is asked also when a request finds no instance with room."""

    def scale(self, instances: views.Instances) -> int:
        """How many instances a function is to have."""
        return instances.wanted

    def scale_pool(self, pool: views.Pool) -> int | tuple[int, list[int]] | None:
        """How many more nodes of a pool are to be on, alone or with those that are to go."""
        return None

    def on_container(self, event: views.ContainerEvent) -> None:
        """Something has become of a container."""

    def on_timer(self, timer: int, cluster: views.Cluster) -> None:
        """A timer has gone off that was set with `context.wake_at`."""


KINDS: dict[str, tuple[type[Policy], ...]] = {
    "node allocation": (NodeAllocation, BatchAllocation),
    "eviction": (Eviction,),
    "admission": (Admission,),
    "keep-alive": (KeepAlive,),
    "autoscaling": (Autoscaling,),
}
"""The classes of each kind of policy, by what the simulator calls it."""


def _instance(prototype: Any) -> Any:
    """A policy for a run: of a class a new one, of an instance a copy."""
    return prototype() if isinstance(prototype, type) else copy.deepcopy(prototype)


def name_of(policy: Any) -> str:
    """What results call a policy."""
    own: str | None = getattr(policy, "name", None)
    return own or (policy.__name__ if isinstance(policy, type) else type(policy).__name__)


def version_of(policy: Any) -> str:
    """What a policy is made of, as a hash: the text of its class, and what an instance has in it."""
    kind = policy if isinstance(policy, type) else type(policy)
    digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}\n".encode())
    try:
        digest.update(inspect.getsource(kind).encode())
    except (OSError, TypeError):
        digest.update(b"without a text")
    if not isinstance(policy, type):
        try:
            digest.update(pickle.dumps(policy.__dict__))
        except Exception:  # What cannot be pickled is told by its class alone.
            digest.update(b"with what cannot be pickled")
    return f"python {digest.hexdigest()[:16]}"
