"""The extension module: what the package `hearth` calls of the simulator, and what policies are shown. Times are in
seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, final

import numpy
from numpy.typing import NDArray
from typing_extensions import Self

VERSION: str

class HearthError(Exception):
    """Anything that goes wrong in Hearth."""

class ScenarioError(HearthError):
    """A scenario, or an argument, is wrong: where, and what to do about it."""

class SimulationError(HearthError):
    """A simulation ended before its end."""

    run: Any
    """What had come of it by then, a `hearth.Run`; of one run."""
    comparison: Any
    """What had come of all runs, a `hearth.Comparison`; of several."""

class PolicyError(SimulationError):
    """A policy ended a simulation: in which call, and at which simulated date."""

# Runs.

_Setting = tuple[bool, str]
_Given = dict[str, Any]
_Picture = tuple[str, str, str, str]
_Path = str | PathLike[str]

@final
class Source:
    """A scenario, and what is set in it."""

    def __new__(
        cls,
        path: _Path | None = None,
        text: str | None = None,
        base: _Path | None = None,
        settings: list[_Setting] = ...,
    ) -> Self: ...
    @property
    def text(self) -> str: ...
    @property
    def path(self) -> Path | None: ...
    @property
    def base(self) -> Path: ...
    def resolved(self) -> str: ...

@final
class Columns:
    """A table, column by column."""

    def __len__(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def units(self) -> dict[str, str]: ...
    @property
    def descriptions(self) -> dict[str, str]: ...
    def values(self, name: str) -> tuple[str, Any, Any, Any]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class RunResult:
    """What has come of a run."""

    @property
    def summary(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def wall_s(self) -> float: ...
    @property
    def policy_times(self) -> list[tuple[str, int, float]]: ...
    @property
    def interval_s(self) -> float | None: ...
    def table(self, name: str) -> Columns | None: ...
    def instances(self) -> list[tuple[str, int | None, Any]]: ...
    def pictures(self) -> list[_Picture]: ...
    def html(self) -> str: ...

@final
class Stream:
    """Invocations of a run that come as it goes on."""

    def __iter__(self) -> Stream: ...
    def __next__(self) -> Columns: ...
    def close(self) -> None: ...
    @property
    def run(self) -> RunResult | None: ...

@final
class Sweep:
    """Many runs of one scenario."""

    def __new__(
        cls,
        source: Source,
        policies: list[_Given],
        axes: list[tuple[str, list[tuple[str, list[_Setting]]]]],
        seeds: list[int],
        baseline: str | None,
    ) -> Self: ...
    @property
    def warnings(self) -> list[str]: ...
    def runs(self) -> list[tuple[str, list[tuple[str, str]], int]]: ...
    def assignments(self, run: int) -> list[str]: ...
    def inputs(self) -> list[tuple[Path, str]]: ...
    def is_library(self, path: _Path) -> bool: ...
    def run(
        self, threads: int | None = None, progress: Callable[[int, float], object] | None = None
    ) -> list[tuple[bool, str]]: ...
    def raised(self) -> BaseException | None: ...
    def outcome(self, summaries: list[tuple[bool, str]]) -> SweepOutcome: ...

@final
class SweepOutcome:
    """What has come of a sweep."""

    @property
    def warnings(self) -> list[str]: ...
    def text(self, metrics: list[str]) -> str: ...
    def json(self) -> str: ...
    def runs(self) -> Columns: ...
    def comparison(self, metrics: list[str], differences: bool) -> Columns: ...
    def pictures(self) -> list[_Picture]: ...
    def html(self) -> str: ...

def run(
    source: Source,
    policies: list[_Given],
    options: dict[str, Any],
    progress: Callable[[float | None, float, int], object] | None = None,
) -> RunResult: ...
def stream(source: Source, policies: list[_Given], options: dict[str, Any], rows: int) -> Stream: ...
def summarise(source: Source, policies: list[_Given], copies: list[tuple[str, str]]) -> str: ...
def slots() -> list[tuple[str, str]]: ...
def command(start: list[str], file: str, arguments: list[str]) -> int: ...
def check_policy(given: _Given, cases: int, waive: list[str]) -> None: ...

# What policies answer.

@final
class Reject:
    """The request ends as rejected."""

    def __new__(cls, reason: str = "rejected") -> Self: ...
    @property
    def reason(self) -> str:
        """Why."""

@final
class Busy:
    """The request waits for the next container of its function that becomes free, on a node or anywhere."""

    def __new__(cls, node: int | None = None, until: float = ...) -> Self: ...
    @property
    def node(self) -> int | None:
        """The node; None is anywhere."""
    @property
    def until(self) -> float:
        """The date at which it is asked about again, in seconds; infinity is never."""

@final
class Queue:
    """The request stands in the queues of these nodes, and gets the first core that is free there."""

    def __new__(cls, nodes: int | Iterable[int], until: float = ...) -> Self: ...
    @property
    def nodes(self) -> list[int]:
        """The nodes."""
    @property
    def until(self) -> float:
        """The date at which it is asked about again, in seconds; infinity is never."""

@final
class Warm:
    """The request runs in this idle container of its function."""

    def __new__(cls, node: int, container: int) -> Self: ...
    @property
    def node(self) -> int:
        """The node."""
    @property
    def container(self) -> int:
        """The container's number on the node."""

@final
class Cold:
    """The request runs in a new container, though there may be an idle one."""

    def __new__(cls, node: int) -> Self: ...
    @property
    def node(self) -> int:
        """The node."""

@final
class Delay:
    """The request is asked about again later."""

    def __new__(cls, seconds: float) -> Self: ...
    @property
    def seconds(self) -> float:
        """After how many seconds."""

# What policies are shown.

@final
class Cluster:
    """The cluster at one decision, during one call alone. Columns are arrays of NumPy over all nodes, by number: views, of which
    a policy keeps copies if it must.
    """

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def waiting(self) -> int:
        """How many invocations wait, this one included."""
    @property
    def cores(self) -> NDArray[numpy.uint32]:
        """By node: cores, i.e. the most invocations that run at once."""
    @property
    def free_cores(self) -> NDArray[numpy.uint32]:
        """By node: cores that neither run an invocation nor are taken by a decision of this round."""
    @property
    def running(self) -> NDArray[numpy.uint32]:
        """By node: invocations that hold a core: starting, running, or placed here while their image is on its way.
        Those placed by decisions of this round count.
        """
    @property
    def idle_containers(self) -> NDArray[numpy.uint32]:
        """By node: idle containers."""
    @property
    def queued(self) -> NDArray[numpy.uint32]:
        """By node: how many stand in the queue of the node (`Queue`), those among them who stand in others, too."""
    @property
    def speed(self) -> NDArray[numpy.float64]:
        """By node: speed of a core in flop/s."""
    @property
    def ram(self) -> NDArray[numpy.uint64]:
        """By node: RAM in bytes."""
    @property
    def free_ram(self) -> NDArray[numpy.uint64]:
        """By node: RAM that nothing holds, less what decisions of this round will take, in bytes."""
    @property
    def idle_ram(self) -> NDArray[numpy.uint64]:
        """By node: RAM that idle containers hold, which eviction may free, in bytes."""
    @property
    def unused_image_ram(self) -> NDArray[numpy.uint64]:
        """By node: RAM that images hold which no container needs, which eviction may free, in bytes."""
    @property
    def disk(self) -> NDArray[numpy.uint64]:
        """By node: disk in bytes."""
    @property
    def free_disk(self) -> NDArray[numpy.uint64]:
        """By node: disk that nothing holds, less what decisions of this round will take, in bytes."""
    @property
    def idle_disk(self) -> NDArray[numpy.uint64]:
        """By node: disk that idle containers hold, which eviction may free, in bytes."""
    @property
    def unused_image_disk(self) -> NDArray[numpy.uint64]:
        """By node: disk that images hold which no container needs, which eviction may free, in bytes."""
    @property
    def up(self) -> NodeSet:
        """Nodes that are up."""
    @property
    def free_core(self) -> NodeSet:
        """Nodes that are up and have a free core."""
    @property
    def idle_container(self) -> NodeSet:
        """Nodes with an idle container of the request's function that no decision of this round has taken."""
    @property
    def image_in_ram(self) -> NodeSet:
        """Nodes with the request's image in RAM."""
    @property
    def image_loading(self) -> NodeSet:
        """Nodes that load the request's image from disk into RAM, or will by a decision of this round."""
    @property
    def image_on_disk(self) -> NodeSet:
        """Nodes with the request's image on disk."""
    @property
    def image_copying(self) -> NodeSet:
        """Nodes that the request's image is being copied to, or will be by a decision of this round."""
    def __len__(self) -> int:
        """How many nodes there are."""
    def node(self, number: int) -> Node:
        """A node: a copy, which may be kept."""
    def containers_on(self, number: int) -> list[Container]:
        """The containers of a node, in the state in which the decisions of this round have left them: copies, which
        may be kept.
        """
    def history(self, function: int) -> History:
        """What has come of a function so far, where the policy `sees_history`: a copy, which may be kept."""

@final
class NodeSet:
    """A set of nodes: one of a view is there during its call alone, one of a copy or of ``&``, ``|`` and ``-`` may be
    kept.
    """

    def first(self) -> int | None:
        """The node with the lowest number; None if there is none."""
    def first_also_in(self, other: NodeSet) -> int | None:
        """The node with the lowest number that is in both sets; None if there is none."""
    def to_list(self) -> list[int]:
        """The nodes, lowest first."""
    def mask(self) -> NDArray[numpy.bool_]:
        """For each node whether it is in the set: a copy."""
    def __contains__(self, node: int, /) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> Iterator[int]: ...
    def __and__(self, other: NodeSet, /) -> NodeSet: ...
    def __or__(self, other: NodeSet, /) -> NodeSet: ...
    def __sub__(self, other: NodeSet, /) -> NodeSet: ...
    def __rand__(self, other: NodeSet, /) -> NodeSet: ...
    def __ror__(self, other: NodeSet, /) -> NodeSet: ...
    def __rsub__(self, other: NodeSet, /) -> NodeSet: ...

@final
class Context:
    """What an instance of a policy is made for, and what it can have done in its calls, while its simulation runs."""

    @property
    def slot(self) -> str:
        """What it serves as: ``"node_allocation"``, ``"eviction.containers"``, …; of several slots, the first."""
    @property
    def seed(self) -> int:
        """A seed of its own, drawn from that of the simulation: the source of all chance."""
    @property
    def nodes(self) -> int:
        """How many nodes there are."""
    @property
    def node(self) -> int | None:
        """The node whose storage it serves, for eviction; None for the head, and for others."""
    @property
    def ram(self) -> int:
        """RAM of the storage that it serves, for eviction, in bytes."""
    @property
    def disk(self) -> int:
        """Disk of the storage that it serves, for eviction, in bytes."""
    def wake_at(self, timer: int, date: float) -> None:
        """Has `on_timer` called at a date, in seconds, with this number; `math.inf` takes it back."""
    def start_containers(
        self, function: int, count: int = 1, *, node: int | None = None, keep_for: float = ...
    ) -> None:
        """Has containers of a function started, on a node or anywhere, and kept for so many seconds; without, for
        ever.
        """
    def end_containers(self, function: int, count: int = 1, *, node: int | None = None) -> None:
        """Ends idle containers of a function, on a node or anywhere."""
    def keep_between(self, function: int, floor: int = 0, ceiling: int | None = None) -> None:
        """Has at least `floor` containers of a function, and at most `ceiling`."""
    def log(self, level: str, text: str) -> None:
        """Writes a line into the log of the run, with a level: `error`, `warn`, `info`, `debug` or `trace`."""
    def logs(self, level: str) -> bool:
        """Whether somebody reads what is logged at this level."""
    def hedge(self, key: int) -> None:
        """Has another attempt made beside the one that a request's key names."""
    def set_rank(self, key: int, rank: int) -> None:
        """Gives the attempt that a request's key names another rank in the queue."""
    def take_back(self, key: int) -> None:
        """Takes the attempt that a request's key names back out of the queues of nodes."""

@final
class Request:
    """One waiting request."""

    FIELDS: ClassVar[list[str]]

    @property
    def attempt(self) -> int:
        """Which attempt at the invocation it is, 1 for the first. Two may be under way at once, if invocations are
        hedged.
        """
    @property
    def invocation(self) -> int:
        """Number of the invocation, in the order of requests."""
    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def image(self) -> int | None:
        """The number of the function's image, or None."""
    @property
    def task(self) -> int | None:
        """Which task of its workflow it is, in the order of the workflow's definition; None if it is part of none."""
    @property
    def workflow(self) -> int | None:
        """The number of the workflow; None if it is part of none."""
    @property
    def run(self) -> int | None:
        """The number of the run of the workflow, in the order of requests; None if it is part of none."""
    @property
    def requested_at(self) -> float:
        """When the controller asked, in seconds."""
    @property
    def submitted_at(self) -> float:
        """When the service took it in, in seconds."""
    @property
    def deadline(self) -> float:
        """When it ought to be done by the deadline of its function, in seconds; infinity if that has none."""
    @property
    def time_limit(self) -> float:
        """The function's limit on execution time in seconds; 0 is none."""
    @property
    def ram_limit(self) -> int:
        """RAM that a container of the function reserves, in bytes."""
    @property
    def disk_limit(self) -> int:
        """Disk that a container of the function reserves, in bytes."""
    @property
    def startup_overhead(self) -> float:
        """Time that a new container of the function takes to start, in seconds."""
    @property
    def key(self) -> int:
        """What names the attempt in `Context`, as long as it is under way; no other attempt ever has it."""

@final
class Node:
    """A node."""

    FIELDS: ClassVar[list[str]]

    @property
    def cores(self) -> int:
        """Cores, i.e. the most invocations that run at once."""
    @property
    def free_cores(self) -> int:
        """Cores that neither run an invocation nor are taken by a decision of this round."""
    @property
    def running(self) -> int:
        """Invocations that hold a core: starting, running, or placed here while their image is on its way. Those
        placed by decisions of this round count.
        """
    @property
    def idle_containers(self) -> int:
        """Idle containers."""
    @property
    def queued(self) -> int:
        """How many stand in the queue of the node (`Queue`), those among them who stand in others, too."""
    @property
    def speed(self) -> float:
        """Speed of a core in flop/s."""
    @property
    def ram(self) -> int:
        """RAM in bytes."""
    @property
    def free_ram(self) -> int:
        """RAM that nothing holds, less what decisions of this round will take."""
    @property
    def idle_ram(self) -> int:
        """RAM that idle containers hold, which eviction may free."""
    @property
    def unused_image_ram(self) -> int:
        """RAM that images hold which no container needs, which eviction may free."""
    @property
    def disk(self) -> int:
        """Disk in bytes."""
    @property
    def free_disk(self) -> int:
        """Disk that nothing holds, less what decisions of this round will take."""
    @property
    def idle_disk(self) -> int:
        """Disk that idle containers hold, which eviction may free."""
    @property
    def unused_image_disk(self) -> int:
        """Disk that images hold which no container needs, which eviction may free."""
    def has_room(self, request: Request) -> bool:
        """Whether a new container of the request has room now, without any eviction."""
    def can_make_room(self, request: Request) -> bool:
        """Whether a new container of the request has room once idle containers and unused images are evicted."""

@final
class Container:
    """A container of a node."""

    FIELDS: ClassVar[list[str]]

    @property
    def container(self) -> int:
        """Its number within its node, as eviction policies know it. The number of one that has ended is used again."""
    @property
    def function(self) -> int:
        """The number of its function."""
    @property
    def invocation(self) -> int | None:
        """The invocation that is in it or for which it starts; None if there is none, and if a decision of this round
        has taken it.
        """
    @property
    def attempt(self) -> int:
        """Which attempt at the invocation that is, 1 for the first; 0 if there is none."""
    @property
    def created(self) -> float:
        """When it was made, in seconds."""
    @property
    def since(self) -> float:
        """Since when it is in its state, in seconds."""
    @property
    def expires(self) -> float:
        """When it is ended if it is idle up to then, in seconds; infinity if never so, and if it is not idle. That
        date may have passed, as long as the head has not come to it.
        """
    @property
    def ram(self) -> int:
        """RAM that it reserves, in bytes."""
    @property
    def disk(self) -> int:
        """Disk that it reserves, in bytes."""
    @property
    def is_idle(self) -> bool:
        """Whether a request of its function can have it."""
    @property
    def is_busy(self) -> bool:
        """Whether an invocation runs in it, or a decision of this round has taken it."""

@final
class History:
    """What has come of a function so far."""

    FIELDS: ClassVar[list[str]]

    @property
    def busy(self) -> int:
        """Containers that somebody is in, from the dispatch up to the end as the head hears of it. What decisions of
        this round take is not among them.
        """
    @property
    def idle(self) -> int:
        """Idle containers, on all nodes. In a `Completion` the one that it is about is neither idle nor busy."""
    @property
    def starting(self) -> int:
        """Containers that are being started ahead of a request."""
    @property
    def waiting(self) -> int:
        """Attempts that were let in and have no container, whether they wait for an image, for a place in the queue,
        on a node, in the queues of nodes or for a busy container.
        """
    @property
    def waiting_since(self) -> float | None:
        """When the one of these was let in that has waited longest, in seconds; None if nobody waits."""
    @property
    def arrivals(self) -> int:
        """Attempts that were submitted, before admission is asked; retries and hedges too."""
    @property
    def last_arrival(self) -> float | None:
        """When the last of these was, in seconds; None before the first."""
    @property
    def completed(self) -> int:
        """Attempts that have ended well."""
    @property
    def runs(self) -> int:
        """Attempts that have run to an end of their own, well or not, or to their time limit."""
    @property
    def mean_run_time(self) -> float:
        """The mean of their run times, in seconds; 0 before the first."""
    @property
    def recent_run_time(self) -> float:
        """What they have taken of late, in seconds: an exponentially weighted mean, in which the last run has the
        weight 1/8 (as in TCP's estimate of the round trip time, RFC 6298); the first run is itself, and 0 is before
        it.
        """
    @property
    def cold_starts(self) -> int:
        """Containers that were made for an attempt."""
    @property
    def mean_start_time(self) -> float:
        """The mean of the times that these take from the dispatch to the begin of the body, in seconds; 0 before the
        first. An image that is on its way takes its time before that.
        """

@final
class End:
    """The end of an attempt."""

    FIELDS: ClassVar[list[str]]

    @property
    def attempt(self) -> int:
        """Which attempt at the invocation it was, 1 for the first."""
    @property
    def now(self) -> float:
        """The date, in seconds: when its core is given back, if it has one."""
    @property
    def invocation(self) -> int:
        """Number of the invocation, in the order of requests."""
    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def node(self) -> int | None:
        """The node on which it had a core, or waited for its image; None if it had no place."""
    @property
    def container(self) -> int | None:
        """The number of its container on the node; None if it had none."""
    @property
    def start(self) -> str:
        """What kind of container that was."""
    @property
    def ending(self) -> str:
        """How it ended."""
    @property
    def idle_of_function(self) -> int:
        """Idle containers of the function on the node before keep-alive is asked, its own included; 0 if its container
        has ended with it, or it had none.
        """
    @property
    def started_at(self) -> float | None:
        """When its body began, in seconds; None if it never did."""
    @property
    def run_time(self) -> float:
        """How long its body ran up to its end, or until it was cut off, in seconds; 0 if it never began."""
    @property
    def ram(self) -> int:
        """RAM that its container held, in bytes; 0 without a container."""
    @property
    def key(self) -> int:
        """What names the attempt in `Context`, as in its request; nobody has it after the end but who is back in the
        queue.
        """

@final
class ContainerEvent:
    """What has become of a container."""

    FIELDS: ClassVar[list[str]]

    @property
    def change(self) -> str:
        """What has become of it."""
    @property
    def now(self) -> float:
        """When, in seconds."""
    @property
    def node(self) -> int:
        """Its node."""
    @property
    def container(self) -> int:
        """Its number on the node, which may be used again after its end."""
    @property
    def function(self) -> int:
        """Its function."""
    @property
    def ram(self) -> int:
        """RAM that it holds, in bytes."""
    @property
    def disk(self) -> int:
        """Disk that it holds, in bytes."""

@final
class DelayedStart:
    """One that has waited for a container or a core has got it."""

    FIELDS: ClassVar[list[str]]

    @property
    def attempt(self) -> int:
        """Which attempt at the invocation it is, 1 for the first."""
    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def invocation(self) -> int:
        """Number of the invocation, in the order of requests."""
    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def node(self) -> int:
        """The node on which it has a core now."""
    @property
    def container(self) -> int | None:
        """The number of its container on the node; None for one that has stood in queues and waits there for its image
        now.
        """
    @property
    def key(self) -> int:
        """What names the attempt in `Context`, as in its request."""

@final
class Item:
    """What may be evicted."""

    FIELDS: ClassVar[list[str]]

    @property
    def id(self) -> int:
        """The item's number, unique among those inserted and dense: containers are numbered within their node, images
        over the platform.
        """
    @property
    def function(self) -> int | None:
        """The container's function, or None for an image."""
    @property
    def ram(self) -> int:
        """RAM that goes free with it, in bytes."""
    @property
    def disk(self) -> int:
        """Disk that goes free with it, in bytes."""
    @property
    def cost(self) -> float:
        """What it would cost to have it again, in seconds: a container's startup time; 0 where that is unknown."""
    @property
    def since(self) -> float:
        """The date from which it may be evicted, in seconds."""
    @property
    def expires(self) -> float:
        """The date at which its keep-alive is over, in seconds; infinity is never."""

@final
class Need:
    """How much is to be freed."""

    FIELDS: ClassVar[list[str]]

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def ram(self) -> int:
        """Bytes of RAM; 0 when RAM is not short."""
    @property
    def disk(self) -> int:
        """Bytes of disk; 0 when disk is not short."""

@final
class Instances:
    """How it stands with the instances of a function."""

    FIELDS: ClassVar[list[str]]

    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def concurrency(self) -> int | None:
        """How many requests an instance serves at once at the most; None is without limit."""
    @property
    def min_scale(self) -> int:
        """How many instances there are at the least."""
    @property
    def max_scale(self) -> int | None:
        """How many instances there are at the most; None is any number."""
    @property
    def ready(self) -> int:
        """Instances that take requests."""
    @property
    def starting(self) -> int:
        """Instances that have been asked for and are not up."""
    @property
    def stopping(self) -> int:
        """Instances that take no more requests and end when theirs have."""
    @property
    def wanted(self) -> int:
        """The last answer, within the bounds; `min_scale` before the first."""
    @property
    def cause(self) -> str:
        """Why the policy is asked."""
    @property
    def waiting(self) -> int:
        """Requests that wait for an instance."""
    @property
    def running(self) -> int:
        """Requests in instances."""
    @property
    def waiting_since(self) -> float | None:
        """When the first of those that wait was let in, in seconds; None if nobody waits."""
    @property
    def arrivals(self) -> int:
        """Requests let in so far."""
    @property
    def last_arrival(self) -> float | None:
        """When the last of them was, in seconds; None before the first."""
    @property
    def in_flight_seconds(self) -> float:
        """The integral over time, since the simulation began, of the requests that wait or are in instances, in
        requests x seconds.
        """
    @property
    def running_seconds(self) -> float:
        """The same of those in instances alone."""

@final
class PoolNode:
    """A node of a pool."""

    FIELDS: ClassVar[list[str]]

    @property
    def node(self) -> int:
        """The node's number."""
    @property
    def state(self) -> str:
        """How it stands with it."""
    @property
    def running(self) -> int:
        """How many invocations run there, or are to start there."""
    @property
    def since(self) -> float:
        """Since when it stands so, in seconds."""
    @property
    def ram(self) -> int:
        """RAM of the node, in bytes."""
    @property
    def used_ram(self) -> int:
        """RAM that containers hold there, or that is promised, in bytes."""
    @property
    def idle_ram(self) -> int:
        """What idle containers hold of that."""
    @property
    def processors(self) -> int:
        """Cores of the node, in millionths."""
    @property
    def used_processors(self) -> int:
        """What is taken of them, in millionths of a core: by invocations, or where processors are shared by the
        requests of containers.
        """

@final
class Pending:
    """Who waits for a node."""

    FIELDS: ClassVar[list[str]]

    @property
    def function(self) -> int | None:
        """The function's number."""
    @property
    def count(self) -> int:
        """How many there are."""
    @property
    def since(self) -> float:
        """Since when the first of them waits, in seconds."""
    @property
    def ram(self) -> int:
        """RAM that each of them needs, in bytes."""
    @property
    def disk(self) -> int:
        """Disk that each of them needs, in bytes."""
    @property
    def processors(self) -> int:
        """Cores that each of them needs, in millionths."""

@final
class Load:
    """How much there is to do at a request."""

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def delays(self) -> int:
        """How often this request was delayed before."""
    @property
    def waiting(self) -> int:
        """Admitted invocations that have not been dispatched to a container, without this request."""
    @property
    def waiting_of_function(self) -> int:
        """Of these, those of the request's function."""
    @property
    def placed(self) -> int:
        """Of those that wait, those that have been given a node and wait for their image there. The core that each will
        take is not among the free ones.
        """
    @property
    def running(self) -> int:
        """Invocations that run: each holds a core, but for those in instances, whose cores are the instances' own."""
    @property
    def running_of_function(self) -> int:
        """Of these, those of the request's function."""
    @property
    def free_cores(self) -> int:
        """Free cores of the nodes that are up."""
    @property
    def has_place(self) -> bool:
        """Whether the request need not wait for a core or for room."""

@final
class Completion:
    """A container that has become idle, as its invocation has completed."""

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def node(self) -> int:
        """The node."""
    @property
    def run_time(self) -> float:
        """How long the invocation ran, in seconds."""
    @property
    def ram(self) -> int:
        """RAM that the container holds, in bytes."""
    @property
    def idle_of_function(self) -> int:
        """Idle containers of the function on the node, this one included."""
    @property
    def history(self) -> History | None:
        """What has come of its function so far, where the policy `sees_history`."""

@final
class Link:
    """A link of the network."""

    @property
    def link(self) -> int:
        """The link's number, in the order of the platform."""
    @property
    def share(self) -> float:
        """The part of its bandwidth that faults leave to it: 0 while it is down, 1 when it is whole."""
    @property
    def nodes(self) -> list[int]:
        """The nodes whose route to the head crosses the link, there or back."""

@final
class WaitingQueue:
    """The queue, for who may reject those who wait."""

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def waiting(self) -> int:
        """How many wait in the queue."""
    @property
    def heads(self) -> list[Request]:
        """The first of each function of which somebody waits, in the order of the queue."""
    @property
    def lengths(self) -> list[int]:
        """How many wait of the function of each of these."""
    @property
    def free_core(self) -> NodeSet:
        """Nodes that are up and have a free core."""

@final
class Copy:
    """An image that is to be copied to a node."""

    @property
    def image(self) -> int:
        """The image."""
    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def bytes(self) -> int:
        """How large it is, in bytes."""
    @property
    def node(self) -> int:
        """The node that it goes to."""
    @property
    def is_on_head(self) -> bool:
        """Whether the head has it; if not, it would be downloaded again first."""
    @property
    def sending_of_head(self) -> int:
        """How many copies are on their way from the head to nodes."""
    @property
    def holders(self) -> list[int]:
        """The nodes that have it on their disk, are up, and have a way to the other one that is up. There is one at
        least.
        """
    @property
    def sending(self) -> list[int]:
        """By node: how many copies are on their way from it to other nodes."""

@final
class WaitingFunction:
    """A function with waiting requests."""

    @property
    def function(self) -> int:
        """The function's number."""
    @property
    def image(self) -> int | None:
        """The number of its image; None if it has none."""
    @property
    def time_limit(self) -> float:
        """Limit on execution time in seconds; 0 is none."""
    @property
    def ram_limit(self) -> int:
        """RAM that a container reserves, in bytes."""
    @property
    def disk_limit(self) -> int:
        """Disk that a container reserves, in bytes."""
    @property
    def idle_containers(self) -> list[int]:
        """Idle containers of the function, by node."""
    @property
    def image_in_ram(self) -> NodeSet:
        """Nodes with the image in RAM."""
    @property
    def image_loading(self) -> NodeSet:
        """Nodes that load the image into RAM."""
    @property
    def image_on_disk(self) -> NodeSet:
        """Nodes with the image on disk."""
    @property
    def image_copying(self) -> NodeSet:
        """Nodes that the image is being copied to."""

@final
class Batch:
    """The cluster and the whole queue."""

    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def nodes(self) -> list[Node]:
        """All nodes, by number."""
    @property
    def up(self) -> NodeSet:
        """Nodes that are up."""
    @property
    def queue(self) -> list[Request]:
        """The waiting requests in the order of submission."""
    @property
    def functions(self) -> list[WaitingFunction]:
        """The functions of the waiting requests, by ascending number."""

@final
class Pool:
    """A pool of nodes that come and go."""

    @property
    def pool(self) -> int:
        """The pool's number, from 0 in the order of the scenario."""
    @property
    def now(self) -> float:
        """The date, in seconds."""
    @property
    def min(self) -> int:
        """How many nodes are on at the least."""
    @property
    def max(self) -> int:
        """How many nodes are on at the most."""
    @property
    def nodes(self) -> list[PoolNode]:
        """Its nodes, by number."""
    @property
    def pending(self) -> list[Pending]:
        """Who has found no place on any node, by function: of the whole service, as any pool may take them."""
    @property
    def scale(self) -> int:
        """How many nodes there are that do not go."""

# Traces, scenarios, and what there is.

@final
class Trace:
    def functions(self) -> list[tuple[str, int, float | None]]: ...
    def statistics(self) -> str: ...
    def save(
        self, path: str | PathLike[str], functions: str | PathLike[str] | None, overwrite: bool
    ) -> tuple[int, int]: ...
    def rows(self) -> Rows: ...
    def table(self) -> tuple[Columns, int]: ...

@final
class Rows:
    def __iter__(self) -> Iterator[tuple[float, str, float | None]]: ...
    def __next__(self) -> tuple[float, str, float | None]: ...
    def skipped_rows(self) -> int: ...

def read_trace(text: str, seed: int) -> Trace: ...
def generate_trace(text: str, name: str, file: str | PathLike[str] | None, seed: int) -> Trace: ...
def policies(libraries: list[str], folders: list[str]) -> str: ...
def platforms() -> str: ...
def platform(name: str) -> str: ...
def schema() -> str: ...
def read_scenario(file: str | PathLike[str]) -> str: ...
def validate(text: str, file: str, is_there: bool, folders: list[str]) -> list[str]: ...
def with_absolute_paths(text: str, folder: str | PathLike[str]) -> str: ...

# Environments for policies that learn.

_Seen = tuple[bytearray, bytearray, bytearray, list[tuple[int, dict[str, Any]]]]

@final
class Environments:
    """Environments that go step by step together, on threads of their own."""

    @staticmethod
    def keep_alive(
        path: str | PathLike[str] | None,
        text: str | None,
        keep_for_s: Sequence[float],
        cold_start_weight: float,
        idle_memory_weight: float,
        num_envs: int,
        threads: int,
    ) -> Environments: ...
    @staticmethod
    def autoscaling(
        path: str | PathLike[str] | None,
        text: str | None,
        changes: Sequence[int],
        waiting_weight: float,
        instance_weight: float,
        period_s: float,
        num_envs: int,
        threads: int,
    ) -> Environments: ...
    @property
    def features(self) -> list[str]: ...
    def begin(self, seeds: Sequence[tuple[int, int]], next: Sequence[int] | None) -> _Seen: ...
    def set_next(self, number: int, seed: int) -> None: ...
    def step(self, actions: bytes) -> _Seen: ...
    def summary(self, number: int) -> str | None: ...
    def close(self) -> None: ...

@final
class Network:
    """A network from a file, as the policy `learned` computes it."""

    def __new__(cls, path: str, decides: str, features: Sequence[str]) -> Network: ...
    def outputs(self, observation: bytes) -> list[float]: ...

def learning_scenarios() -> tuple[str, str]: ...
