"""The sections of a scenario as types, with the documentation of their keys.

`scripts/python-sections` writes this file from the JSON Schema of scenarios: do not change it by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Required

PolicyChoice: TypeAlias = "str | Mapping[str, Any]"
"""A policy: its name, as in `"hybrid-histogram"`, or a section, beside whose `use` and `library` parameters may stand, as in
`{"use": "fixed", "timeout": "20min"}`."""


After: TypeAlias = "str | TaskData"
"""A task that another one follows: its name, or an object that says how much data it hands on."""


class ApplicationArguments(TypedDict, total=False):
    """An application: its functions are served by the same instances, which are containers of these measures."""

    container_startup_overhead: Seconds | None
    """Time that a new container takes to start; without it, the service's."""

    disk_limit: Bytes
    """Disk that each instance reserves; each invocation may use as much."""

    image: str | None
    """Its image; without it, it needs none."""

    instances: Instances | None
    """How it is served; without it, as the service says."""

    processors: Processors | None
    """What its instances have of the processors of their nodes; goes with `"processors": "shared"` in the
    service.
    """

    ram_limit: Bytes
    """RAM that each instance reserves."""


class Application(ApplicationArguments, total=False):
    """An application: its functions are served by the same instances, which are containers of these measures."""

    name: Required[str]
    """Its name."""


class ArrivalsConstantValues(TypedDict, total=False):
    rate: Required[float]
    """The rate."""


class ArrivalsConstant(TypedDict, total=False):
    """At equal distances."""

    constant: Required[ArrivalsConstantValues]


class ArrivalsPoissonValues(TypedDict, total=False):
    rate: Required[float]
    """The mean rate."""


class ArrivalsPoisson(TypedDict, total=False):
    """At distances that have nothing to do with each other: exponential ones."""

    poisson: Required[ArrivalsPoissonValues]


class ArrivalsUniformValues(TypedDict, total=False):
    rate: Required[float]
    """The mean rate."""


class ArrivalsUniform(TypedDict, total=False):
    """At distances between none and twice the mean, equally likely."""

    uniform: Required[ArrivalsUniformValues]


class ArrivalsWeibullValues(TypedDict, total=False):
    rate: Required[float]
    """The mean rate."""

    shape: Required[float]
    """The shape."""


class ArrivalsWeibull(TypedDict, total=False):
    """At distances with Weibull's distribution: of shape below 1 in clusters, above 1 more regular."""

    weibull: Required[ArrivalsWeibullValues]


class ArrivalsGammaValues(TypedDict, total=False):
    rate: Required[float]
    """The mean rate."""

    shape: Required[float]
    """The shape."""


class ArrivalsGamma(TypedDict, total=False):
    """At distances with a gamma distribution: of shape below 1 in clusters, above 1 more regular."""

    gamma: Required[ArrivalsGammaValues]


class ArrivalsMmppValues(TypedDict, total=False):
    mean_times: Required[list[float]]
    """How long each state lasts on average."""

    rates: Required[list[float]]
    """The rate in each state."""


class ArrivalsMmpp(TypedDict, total=False):
    """A Markov-modulated Poisson process: bursts. It goes from one state to the next and back to the first."""

    mmpp: Required[ArrivalsMmppValues]


class ArrivalsSinusoidValues(TypedDict, total=False):
    amplitude: Required[float]
    """How far the rate goes from the mean, as a share of it: 0 to 1."""

    period: Required[float]
    """How long one cycle takes."""

    rate: Required[float]
    """The mean rate."""


class ArrivalsSinusoid(TypedDict, total=False):
    """A Poisson process whose rate goes up and down like a sine, beginning at the mean and rising."""

    sinusoid: Required[ArrivalsSinusoidValues]


class ArrivalsPerMinuteValues(TypedDict, total=False):
    rates: Required[list[float]]
    """The rate in each minute."""


class ArrivalsPerMinute(TypedDict, total=False):
    """A Poisson process with a rate of its own for each minute; after the last minute the first comes again."""

    per_minute: Required[ArrivalsPerMinuteValues]


class ArrivalsMix(TypedDict, total=False):
    """For each function one of these, drawn by weight; for processes of each function only."""

    mix: Required[list[MixPart]]


Arrivals: TypeAlias = "ArrivalsConstant | ArrivalsPoisson | ArrivalsUniform | ArrivalsWeibull | ArrivalsGamma | ArrivalsMmpp | ArrivalsSinusoid | ArrivalsPerMinute | ArrivalsMix"
"""How requests come; rates are in requests per second, times in seconds."""


Backfilling: TypeAlias = 'Literal["unlimited", "none", "easy"]'
"""Who may start before somebody that waits longer and cannot start.
- `unlimited`: Everybody.
- `none`: Nobody: strictly first come, first served.
- `easy`: Who does not delay the first in the queue, by what time limits say: EASY backfilling.
"""


class BackoffConstant(TypedDict, total=False):
    """Always the same."""

    constant: Required[Seconds]


class BackoffExponentialValues(TypedDict, total=False):
    factor: float | None
    """By what each is longer; without it, 2."""

    initial: Required[Seconds]
    """The first."""

    max: Seconds | None
    """The longest; without it, a minute."""


class BackoffExponential(TypedDict, total=False):
    """Each longer than the one before."""

    exponential: Required[BackoffExponentialValues]


Backoff: TypeAlias = "BackoffConstant | BackoffExponential"
"""Pauses between attempts."""


class BaseMerged(TypedDict, total=False):
    merged: Required[str]
    """The platform, whose settings stand in the scenario now."""


Base: TypeAlias = 'Literal["azure-functions", "dirigent", "google-cloud-functions", "knative", "lambda", "openwhisk", "wrench"] | BaseMerged'
"""The platform that the scenario is written over; in results, that it was."""


Bytes: TypeAlias = "float | str"
"""A size: a number in base units, or text with a unit (B kB MB GB TB KiB MiB GiB TiB)."""


BytesPerSecond: TypeAlias = "float | str"
"""A rate: a number in base units, or text with a unit (Bps kBps MBps GBps KiBps MiBps GiBps bps kbps Mbps Gbps)."""


class Columns(TypedDict, total=False):
    """The columns of a trace of rows; what is not given is called as in `arrival_s,function,duration_s`."""

    arrival: TimeColumn | None
    """When requests come; without it, `arrival_s`, in seconds."""

    duration: TimeColumn | None
    """How long they run; without it, `duration_s`, in seconds, if the file has that column, and else bodies run."""

    function: str | None
    """What they are for; without it, `function`."""

    memory: SizeColumn | None
    """RAM of a container of the function, which the trace then declares: the most that a row of the function
    has.
    """


class Compute(TypedDict, total=False):
    """How much of run times is work of processors, and on which machine it takes that long."""

    share: float
    """The share of each run time that computes; the rest is time that passes, after it."""

    speed: Flops | None
    """Speed of a core of the machine on which run times were measured; without it, that of the slowest node."""


Concurrency: TypeAlias = 'Literal["unlimited"] | int'
"""How many requests at once."""


class ContainerFaults(TypedDict, total=False):
    """Containers that crash."""

    crash_per_invocation: float
    """The chance that the container of an invocation crashes at the end of its run."""

    crash_per_second: float
    """How often a container that runs crashes, per second."""


ContainerReuse: TypeAlias = 'Literal["most_recent", "least_recent"]'
"""Which idle container of a function a warm start takes.
- `most_recent`: The one that became idle last.
- `least_recent`: The one that has been idle longest.
"""


class ControlPlane(TypedDict, total=False):
    """What starts instances."""

    creation: Station | None
    """Creates all instances, first come, first served; without it, in no time."""

    node_agent: Station | None
    """One on each node: begins the starts there, first come, first served; without it, in no time."""


class Disk(TypedDict, total=False):
    """A disk."""

    capacity: Required[Bytes]
    """What it holds."""

    read_bandwidth: Required[BytesPerSecond]
    """How fast it reads."""

    write_bandwidth: Required[BytesPerSecond]
    """How fast it writes."""


class DistributionConstant(TypedDict, total=False):
    """Always the same."""

    constant: Required[float]


class DistributionUniformValues(TypedDict, total=False):
    max: Required[float]
    """The greatest."""

    min: Required[float]
    """The least."""


class DistributionUniform(TypedDict, total=False):
    """Anything between two numbers, equally likely."""

    uniform: Required[DistributionUniformValues]


class DistributionExponentialValues(TypedDict, total=False):
    mean: Required[float]
    """The mean."""


class DistributionExponential(TypedDict, total=False):
    """Exponential."""

    exponential: Required[DistributionExponentialValues]


class DistributionLognormalValues(TypedDict, total=False):
    median: Required[float]
    """The median, which is e to the mean of the logarithm."""

    sigma: Required[float]
    """The standard deviation of the logarithm."""


class DistributionLognormal(TypedDict, total=False):
    """The exponential of a normal distribution."""

    lognormal: Required[DistributionLognormalValues]


class DistributionWeibullValues(TypedDict, total=False):
    scale: Required[float]
    """What 63 % do not exceed."""

    shape: Required[float]
    """The shape."""


class DistributionWeibull(TypedDict, total=False):
    """Weibull's: of shape below 1 the longer something has lasted, the longer it will last, above 1 it wears
    out.
    """

    weibull: Required[DistributionWeibullValues]


class DistributionParetoValues(TypedDict, total=False):
    min: Required[float]
    """The least."""

    shape: Required[float]
    """The exponent of the tail: the lower, the heavier."""


class DistributionPareto(TypedDict, total=False):
    """Pareto's: a power of the chance to be exceeded."""

    pareto: Required[DistributionParetoValues]


class DistributionChoice(TypedDict, total=False):
    """One of several numbers, equally likely."""

    choice: Required[list[float]]


class DistributionPercentiles(TypedDict, total=False):
    """Percentiles of what was measured, as pairs of percent and number, with straight lines between."""

    percentiles: Required[list[list[Any]]]


Distribution: TypeAlias = "DistributionConstant | DistributionUniform | DistributionExponential | DistributionLognormal | DistributionWeibull | DistributionPareto | DistributionChoice | DistributionPercentiles"
"""A distribution of numbers that are not negative: of seconds, bytes or multiples, as the place says."""


class DrawnFault(TypedDict, total=False):
    """Faults that come and go by chance, of each host or link on its own."""

    bandwidth: float | None
    """The links are not down, but have this part of their bandwidth."""

    disk_content: Kept
    """What becomes of the disks of hosts that go down."""

    hosts: str | None
    """Hosts by name, or `group-*`."""

    links: str | None
    """A link, or `group-*`."""

    slow: float | None
    """The hosts are not down, but everything that begins on them takes so many times as long."""

    time_between_failures: Required[Distribution]
    """Seconds from the end of one to the next."""

    time_to_repair: Required[Distribution]
    """Seconds from the begin of one to its end."""


class EvictionArguments(TypedDict, total=False):
    """The eviction policies; each may be left out."""

    containers: PolicyChoice | None
    """Of idle containers on a node."""

    images_in_ram: PolicyChoice | None
    """Of images in the RAM of a node."""

    images_on_disk: PolicyChoice | None
    """Of images on the disk of a node."""

    images_on_head: PolicyChoice | None
    """Of images on the head."""


class Eviction(TypedDict, total=False):
    """The eviction policies; each may be left out."""

    containers: Policy | None
    """Of idle containers on a node."""

    images_in_ram: Policy | None
    """Of images in the RAM of a node."""

    images_on_disk: Policy | None
    """Of images on the disk of a node."""

    images_on_head: Policy | None
    """Of images on the head."""


class Faults(TypedDict, total=False):
    """What goes wrong."""

    containers: ContainerFaults
    """Of containers."""

    drawn: list[DrawnFault]
    """By chance."""

    head_queue: Kept
    """What becomes of those that wait when the head goes down."""

    scripted: list[ScriptedFault]
    """By plan."""


class FileArguments(TypedDict, total=False):
    """A file in the registry."""

    size: Required[Bytes]
    """Its size."""


class File(FileArguments, total=False):
    """A file in the registry."""

    name: Required[str]
    """Its name."""


Flops: TypeAlias = "float | str"
"""A amount of work: a number in base units, or text with a unit (f kf Mf Gf Tf)."""


class FunctionArguments(TypedDict, total=False):
    """A function."""

    application: str | None
    """The application that it is of, whose instances serve it; these have the image, RAM, disk and processors
    that the application says.
    """

    body: list[Step]
    """What it does, step by step."""

    container_startup_overhead: Seconds | None
    """Time that a new container takes to start; without it, the service's."""

    deadline: Seconds | None
    """From request to end, as users expect it: it stops nothing, but what is later does not count as good."""

    disk_limit: Bytes
    """Disk that each container reserves."""

    egress_limit: Bytes | None
    """Most bytes that an invocation may send to the registry; nothing is no limit."""

    image: str | None
    """Its image; without it, it needs none."""

    ingress_limit: Bytes | None
    """Most bytes that an invocation may bring in from the registry; nothing is no limit."""

    instances: Instances | None
    """It is served by instances, each of which takes several requests at once; without it, as the service says."""

    processors: Processors | None
    """What its containers have of the processors of their nodes; goes with `"processors": "shared"` in the
    service.
    """

    ram_limit: Bytes
    """RAM that each container reserves."""

    time_limit: Seconds
    """Longest execution; 0 or nothing is no limit."""


class Function(FunctionArguments, total=False):
    """A function."""

    name: Required[str]
    """Its name."""


class FunctionSet(TypedDict, total=False):
    """A set of functions to draw."""

    cold_start: Distribution | None
    """How long a container takes to start, in seconds, drawn for each function; without it, the service's time."""

    count: Required[int]
    """How many; they are called 0, 1, …"""

    ram: Distribution | None
    """RAM of a container, in bytes, drawn for each function; without it, none."""

    run_time_scale: Distribution | None
    """A factor on all run times of a function, drawn for each; without it, 1."""

    zipf: float
    """The exponent of Zipf's law of popularity: 0 (the default) makes all alike, 1 is common."""


class Generator(TypedDict, total=False):
    """What is to be generated."""

    arrivals: Required[Arrivals]
    """How requests come, of all functions together."""

    duration_s: float | None
    """No requests after so many seconds."""

    functions: FunctionSet | None
    """The functions; without them, those of the scenario, all alike."""

    per_function: bool
    """Whether each function has an arrival process of its own, with its share of the rate, instead of one
    process whose requests are for functions drawn by popularity.
    """

    requests: int | None
    """No more requests than this."""

    run_time: Distribution | None
    """How long each runs, in seconds; without it, the bodies of the scenario's functions run. Functions that are
    drawn have none, and need it.
    """

    workflows: list[str] | None
    """Instead of functions: workflows of the scenario, all alike."""


class Hedge(TypedDict, total=False):
    """When an invocation is asked for a second time."""

    after: Required[Seconds]
    """So long after an attempt was submitted."""


class HostArguments(TypedDict, total=False):
    """A host, or a group of hosts alike."""

    cores: Required[int]
    """Cores."""

    count: int | None
    """How many hosts of this kind there are."""

    disk: Disk | None
    """Its disk."""

    power: Power | None
    """The electric power it takes."""

    ram: Bytes
    """RAM."""

    speed: Required[Flops]
    """Speed of a core."""

    star: str | None
    """The star it is in."""


class Host(HostArguments, total=False):
    """A host, or a group of hosts alike."""

    name: Required[str]
    """Its name; with `count`, the hosts are name-0, name-1, …"""


class ImageArguments(TypedDict, total=False):
    """A container image."""

    ram_footprint: Bytes | None
    """Bytes in RAM; without it, its size."""

    size: Required[Bytes]
    """Bytes on disk."""


class Image(ImageArguments, total=False):
    """A container image."""

    name: Required[str]
    """Its name."""


class Instances(TypedDict, total=False):
    """How a function is served that has instances, each of which takes several requests at once."""

    concurrency: Concurrency
    """How many requests an instance serves at once at the most, or "unlimited"."""

    initial_scale: int
    """How many there are to be at the begin."""

    max_scale: int | None
    """How many there are at the most; without it, any number."""

    min_scale: int
    """How many instances there are at the least."""

    paused: Paused | None
    """Instances of which fewer are wanted are paused, for the next one to take their container; without it, they
    are removed.
    """

    queue_at_instance: int
    """How many requests may wait at an instance, rather than in the queue of the function."""

    removal: Distribution | None
    """How many seconds it takes to remove an instance that has no more requests, and holds its memory meanwhile;
    without it, none.
    """

    routing: Routing
    """Which instance takes a request."""

    snapshot: Snapshot | None
    """Starts are restored from what an earlier one has come to; without it, each passes all phases."""

    start: list[Phase]
    """What the start of an instance takes beside the startup overhead of its function, one after the other."""

    start_failure: StartFailure | None
    """Whether starts come to nothing; without it, none does."""


class InvocationArguments(TypedDict, total=False):
    """One invocation; it has a date, or predecessors, or both."""

    after: list[int]
    """Numbers of the invocations that must have ended before."""

    at: Seconds | None
    """Its date; with `after`, not before this date."""

    body: list[Step] | None
    """A body of its own instead of the function's."""

    delay: Seconds
    """How long after the last of those."""

    workflow: str | None
    """Instead of a function: a workflow, of which this is a run."""


class Invocation(InvocationArguments, total=False):
    """One invocation; it has a date, or predecessors, or both."""

    function: str | None
    """The function."""


Kept: TypeAlias = 'Literal["kept", "lost"]'
"""Whether something outlasts an outage.
- `kept`: It is there when the host is back.
- `lost`: It is gone.
"""


class LinkArguments(TypedDict, total=False):
    """A link."""

    bandwidth: Required[BytesPerSecond]
    """Its bandwidth."""

    latency: Required[Seconds]
    """Its latency."""


class Link(LinkArguments, total=False):
    """A link."""

    name: Required[str]
    """Its name."""


class MixPart(TypedDict, total=False):
    """One of the processes of a [mix](Arrivals::Mix)."""

    arrivals: Required[Arrivals]
    """The process. Its rate is what all functions would have together if all had it."""

    weight: Required[float]
    """How likely it is, compared to the others."""


class NamedFile(TypedDict, total=False):
    """A step that names a file."""

    file: Required[str]
    """The file's name."""


NetworkModel: TypeAlias = 'Literal["fluid", "ideal"]'
"""How transfers are timed.
- `fluid`: Transfers share links and disks fairly (the timing model, section 2).
- `ideal`: Latency plus size over bandwidth; nothing is shared.
"""


class NodePool(TypedDict, total=False):
    """Nodes that come and go, of which a policy says how many there are (`policies.cluster_autoscaling`)."""

    boot: Distribution | None
    """How many seconds it takes from the wish for a node until it is up; without it, none."""

    disk_content: Kept
    """What becomes of the images on the disk of a node that is switched off."""

    initial: int | None
    """How many are on at the begin; without it, as many as there are at the least."""

    max: int | None
    """How many are on at the most; without it, all."""

    min: int
    """How many are on at the least."""

    name: Required[str]
    """Its name."""

    nodes: Required[list[str]]
    """Nodes of the service: hosts, or `name-*` for all hosts whose names begin so."""

    price_per_hour: float
    """What a node costs by the hour while it is on, from the begin of its boot."""


Offset: TypeAlias = 'Literal["first"] | Seconds'


_PausedWords = TypedDict(
    "_PausedWords",
    {
        # How long at the most; without it, until the room is needed.
        "for": "Seconds | None",
    },
    total=False,
)


class Paused(_PausedWords, total=False):
    """How instances of which fewer are wanted are paused."""

    pause: Distribution | None
    """How many seconds it takes to pause one, which holds its memory meanwhile; without it, none."""

    ram: float
    """The share of its RAM that a paused one keeps, 0 to 1."""

    resume: Distribution | None
    """How many seconds it takes until one that is taken is up; without it, none."""


class Phase(TypedDict, total=False):
    """A part of the start of an instance."""

    phase: Required[str]
    """What happens in it, such as "runtime"."""

    time: Required[Distribution]
    """How many seconds it takes."""


class Platform(TypedDict, total=False):
    """Hosts, links and routes, or a platform file of SimGrid's."""

    hosts: list[Host]
    """Machines."""

    links: list[Link]
    """Network links."""

    routes: list[Route]
    """Which links lie between which hosts, in both directions."""

    simgrid_xml: str | None
    """A platform file in SimGrid's XML format, instead of all of these. Relative to the scenario file."""

    stars: list[Star]
    """Sets of hosts each of which has a link of its own to a common centre."""


class Pods(TypedDict, total=False):
    """A pool of generic containers that instances take."""

    image: str | None
    """The image that they have in RAM, which those have that fit; without it, none."""

    name: Required[str]
    """What it is called, among functions."""

    processors: float
    """How many cores are kept for each: functions for which more are do not fit; without it, none."""

    ram: Required[Bytes]
    """What each holds of RAM: functions with more do not fit."""

    ready: Required[int]
    """How many are to be ready, or on their way, on all nodes together."""

    search: Distribution | None
    """How many seconds a look into the pool takes; without it, none."""

    start: list[Phase]
    """What their starts take beside the startup overhead; who takes one does without phases of these names."""


class PoliciesArguments(TypedDict, total=False):
    """The policies; each may be left out."""

    admission: PolicyChoice | None
    """Who is let in; default `always`."""

    autoscaling: PolicyChoice | None
    """How many instances functions have; default `none`: as many as the bounds of each demand."""

    cluster_autoscaling: PolicyChoice | None
    """Which nodes of pools come and go; default `none`: none."""

    controller: PolicyChoice | None
    """A policy of several kinds with one state, which serves wherever no other is named."""

    eviction: str | EvictionArguments
    """What goes when room is needed; default `lru` everywhere."""

    keep_alive: PolicyChoice | None
    """How long idle containers stay; default `fixed`."""

    node_allocation: PolicyChoice | None
    """Where invocations run; default `fcfs`."""


class Policies(TypedDict, total=False):
    """The policies; each may be left out."""

    admission: Policy | None
    """Who is let in; default `always`."""

    autoscaling: Policy | None
    """How many instances functions have; default `none`: as many as the bounds of each demand."""

    cluster_autoscaling: Policy | None
    """Which nodes of pools come and go; default `none`: none."""

    controller: Policy | None
    """A policy of several kinds with one state, which serves wherever no other is named."""

    eviction: Eviction
    """What goes when room is needed; default `lru` everywhere."""

    keep_alive: Policy | None
    """How long idle containers stay; default `fixed`."""

    node_allocation: Policy | None
    """Where invocations run; default `fcfs`."""


class Policy(TypedDict, total=False):
    """A policy and its parameters."""

    library: str | None
    """The library it is in, relative to the scenario file; without it, the built-in policies and then those in
    plugin folders are searched.
    """

    parameters: dict[str, Any]
    """Its parameters, as `hearth policies` lists them: numbers, quantities with a unit, words, text, true or
    false, and lists of texts, numbers or times.
    """

    use: str | None
    """Its name; without it, the default of its place, or the only one of its kind in the library."""


class Power(TypedDict, total=False):
    """The electric power of a host in watts, linear in the cores that are busy."""

    busy: Required[float]
    """Watts while all cores are busy, not less than `idle`."""

    idle: Required[float]
    """Watts while no core is busy."""


class Prices(TypedDict, total=False):
    """What a provider asks for. What is left out is as with AWS Lambda (x86, US East, the first tier), and so is
    the name.
    """

    billing_granularity: Seconds
    """The time of each attempt is rounded up to a multiple of this; 0 is not rounded."""

    cold_starts_billed: bool
    """Whether the time that a new container takes to start is billed."""

    currency: str
    """What money is counted in."""

    minimum: Seconds
    """The least time that an attempt is billed for."""

    name: str
    """What results call them."""

    per_gib_second: float
    """For a GiB (2³⁰ bytes) of a function's RAM limit over a second."""

    per_request: float
    """For each request of which an attempt is billed."""


class ProcessorSharingPerMemory(TypedDict, total=False):
    """The same, and containers of functions that say nothing else have a core for so much RAM."""

    per_memory: Required[Bytes]


ProcessorSharing: TypeAlias = 'Literal["dedicated", "shared"] | ProcessorSharingPerMemory'
"""What invocations have of the processors of their node.
- `dedicated`: A core each, from dispatch to end: who has none waits.
- `shared`: What their container gets of all cores while they compute; nobody needs a core to start.
"""


class Processors(TypedDict, total=False):
    """What each container of a function has of the processors of its node, where the service's are shared."""

    limit: float | None
    """Cores that a container may use at once; without it, as many as a body has threads, or the request if that
    is more.
    """

    per_memory: Bytes | None
    """Instead of a limit: a core for so much RAM."""

    request: float | None
    """Cores that are kept for each container on its node; without it, none."""

    startup: Startup | None
    """What a new container computes after its startup overhead, before it is up."""

    threads: int | None
    """Cores that a step or call `compute` can use at once; without it, 1."""

    weight: float | None
    """Where processors are short, containers get them in proportion to their weights; without it, the request,
    or with `per_memory` the limit, or else 1.
    """


Ram: TypeAlias = "Bytes | Distribution"


class Recovery(TypedDict, total=False):
    """What is done about what went wrong."""

    hedge: Hedge | None
    """Invocations that take long are asked for a second time; the first to complete counts."""

    replicate: Replicate | None
    """Images are copied to other nodes when copies are lost."""

    retry: Retry | None
    """Invocations that did not end well are tried again."""


class Replicate(TypedDict, total=False):
    """How many copies of an image are kept within reach."""

    copies: Required[int]
    """On the disks of so many nodes that are up, once a copy is lost."""


RetriedOutcome: TypeAlias = 'Literal["lost", "failed", "timed_out"]'
"""An outcome after which an invocation may be tried again.
- `lost`: Its node, container or head failed.
- `failed`: Its body failed.
- `timed_out`: It reached its time limit.
"""


class Retry(TypedDict, total=False):
    """Which invocations are tried again, and when."""

    backoff: Backoff | None
    """The pause before each further attempt; without it, none."""

    deadline: Seconds | None
    """No attempt begins so long after the request."""

    jitter: float
    """The part of a pause that is drawn at random, 0 to 1."""

    max_attempts: Required[int]
    """How often an invocation is tried at the most, the first time included."""

    on: list[RetriedOutcome]
    """Which outcomes; without it, those that were lost."""


class RouteArguments(TypedDict, total=False):
    """A route, in both directions."""

    links: Required[list[str]]
    """The links between them, in order."""


_RouteWords = TypedDict(
    "_RouteWords",
    {
        # A host, `name-*` for all hosts whose names begin so, or a star.
        "from": "Required[str]",
    },
    total=False,
)


class Route(_RouteWords, total=False):
    """A route, in both directions."""

    links: Required[list[str]]
    """The links between them, in order."""

    to: Required[str]
    """The other end."""


Routing: TypeAlias = 'Literal["least_loaded", "first", "round_robin", "random_of_two"]'
"""Which of the instances that have room takes a request.
- `least_loaded`: The one with the fewest requests, of several the oldest.
- `first`: The oldest.
- `round_robin`: One after the other, by age.
- `random_of_two`: Of two that are drawn, the one with fewer requests.
"""


class ScriptedFaultArguments(TypedDict, total=False):
    """A fault at a date: of hosts (down, or slow with `slow`), of a link (down, or degraded with `bandwidth`),
    or of the disk of hosts (its content is lost).
    """

    at: Required[Seconds]
    """When it begins."""

    bandwidth: float | None
    """The link is not down, but has this part of its bandwidth."""

    disk: str | None
    """A host, or `group-*`, whose disk loses its images."""

    disk_content: Kept
    """What becomes of the disks of hosts that go down."""

    for_: Seconds | None
    """How long it lasts; without it, until the same comes `up`, or for ever."""

    host: str | None
    """A host, or `group-*` for all hosts of that prefix."""

    link: str | None
    """A link."""

    slow: float | None
    """The host is not down, but everything that begins on it takes so many times as long."""

    up: bool
    """Not a fault but the end of those of the same host or link that began before without a length."""


_ScriptedFaultWords = TypedDict(
    "_ScriptedFaultWords",
    {
        # How long it lasts; without it, until the same comes `up`, or for ever.
        "for": "Seconds | None",
    },
    total=False,
)


class ScriptedFault(_ScriptedFaultWords, total=False):
    """A fault at a date: of hosts (down, or slow with `slow`), of a link (down, or degraded with `bandwidth`),
    or of the disk of hosts (its content is lost).
    """

    at: Required[Seconds]
    """When it begins."""

    bandwidth: float | None
    """The link is not down, but has this part of its bandwidth."""

    disk: str | None
    """A host, or `group-*`, whose disk loses its images."""

    disk_content: Kept
    """What becomes of the disks of hosts that go down."""

    host: str | None
    """A host, or `group-*` for all hosts of that prefix."""

    link: str | None
    """A link."""

    slow: float | None
    """The host is not down, but everything that begins on it takes so many times as long."""

    up: bool
    """Not a fault but the end of those of the same host or link that began before without a length."""


Seconds: TypeAlias = "float | str"
"""A time: a number in base units, or text with a unit (ns us ms s min h d)."""


class Select(TypedDict, total=False):
    """A part of a trace; what is not given does not restrict it. Popularity is counted, and applications are
    drawn, among what the other conditions leave.
    """

    functions: list[str] | None
    """Functions by name; those of Azure traces are called `application/function`."""

    minutes: float | None
    """The first minutes."""

    most_popular: int | None
    """The so many functions with the most invocations."""

    sample_apps: int | None
    """So many applications, drawn at random; a function of a CSV trace is an application of its own."""


class Service(TypedDict, total=False):
    """The serverless compute service."""

    backfilling: Backfilling
    """Who may start before somebody that waits longer and cannot start."""

    container_reuse: ContainerReuse
    """Which idle container of a function a warm start takes."""

    container_startup_overhead: Seconds
    """Time that a new container takes to start."""

    control_plane: ControlPlane | None
    """What starts instances; without it, that takes no time beside the starts themselves."""

    head: str
    """The host that takes requests in and stores images."""

    instances: Instances | None
    """Functions are served by instances that say nothing else; without it, those that say so themselves."""

    invocation_processing_overhead: Seconds
    """Time that the head takes for each request."""

    node_pools: list[NodePool]
    """Nodes that come and go; without it, all are always there."""

    nodes: list[str]
    """The compute nodes: hosts, or `name-*` for all hosts whose names begin so."""

    pods: list[Pods]
    """Pools of generic containers that instances take, in the order in which they are looked into; without them,
    each is started anew.
    """

    processors: ProcessorSharing
    """What invocations have of the processors of their node."""

    registry: str
    """The host whose disk holds the remote images and files."""

    simulate_image_downloads: bool
    """Whether images come from the registry, or are on the head from the start."""


class SizeColumn(TypedDict, total=False):
    """A column: its name, and what its numbers are in."""

    name: Required[str]
    """Its name in the first line of the file."""

    unit: Required[Literal["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]]
    """What its numbers are in."""


class SizedFile(TypedDict, total=False):
    """A step that names a file and its size."""

    file: Required[str]
    """The file's name."""

    size: Required[Bytes]
    """Its size."""


SnapshotMaker: TypeAlias = 'Literal["first_start", "beforehand"]'
"""Who makes a snapshot.
- `first_start`: The first start.
- `beforehand`: It is on all nodes before any start.
"""


SnapshotPlace: TypeAlias = 'Literal["node", "everywhere"]'
"""Where a snapshot is.
- `node`: On the node on which it was made.
- `everywhere`: On all nodes.
"""


class Snapshot(TypedDict, total=False):
    """How starts are restored."""

    create: Distribution | None
    """How many seconds after the instance is up that makes it a snapshot is there; without it, none."""

    made: SnapshotMaker
    """Who makes it."""

    phases: Required[list[str]]
    """The phases of `start` that a restored start does without."""

    restore: Required[Distribution]
    """How many seconds it takes to restore one, in place of the first of them."""

    size: Bytes | None
    """What is read from the disk of the node before; without it, nothing."""

    where: SnapshotPlace
    """Where it is."""

    work: bool
    """Whether it does without `processors.startup`, too."""


class StarArguments(TypedDict, total=False):
    """A star."""

    backbone: str | None
    """A link that everything which passes the centre crosses."""

    bandwidth: Required[BytesPerSecond]
    """Bandwidth of each host's link to the centre."""

    latency: Required[Seconds]
    """Latency of each host's link to the centre."""


class Star(StarArguments, total=False):
    """A star."""

    name: Required[str]
    """Its name."""


class StartFailure(TypedDict, total=False):
    """How starts come to nothing."""

    after: str | None
    """The phase of `start` at whose end it shows; without it, at the end of the start."""

    backoff: Backoff | None
    """The pause before another one is begun in its place, which grows with those that have failed there in a
    row; without it, none.
    """

    chance: Required[float]
    """The chance of each start, 0 to 1."""


class Startup(TypedDict, total=False):
    """What a new container computes before it is up."""

    limit: float | None
    """Cores that the container may use at once meanwhile; without it, its limit."""

    work: Required[Flops]
    """How much."""


class Station(TypedDict, total=False):
    """Serves so many at once, and makes the others wait."""

    at_once: int
    """How many it serves at once."""

    per_second: float | None
    """How many it takes in a second at the most, evenly; without it, any number."""

    time: Distribution | None
    """How many seconds each takes; without it, none."""


class StepSleep(TypedDict, total=False):
    """Waits."""

    sleep: Required[Seconds]


class StepCompute(TypedDict, total=False):
    """Computes."""

    compute: Required[Flops]


class StepWrite(TypedDict, total=False):
    """Writes a file into the private storage; takes disk time."""

    write: Required[SizedFile]


class StepCreate(TypedDict, total=False):
    """Makes a file in the private storage in no time."""

    create: Required[SizedFile]


class StepRead(TypedDict, total=False):
    """Reads a file of the private storage."""

    read: Required[NamedFile]


class StepIngress(TypedDict, total=False):
    """Copies a file from the registry into the private storage."""

    ingress: Required[NamedFile]


class StepReadRemote(TypedDict, total=False):
    """Reads a file of the registry without storing it."""

    read_remote: Required[NamedFile]


class StepEgress(TypedDict, total=False):
    """Copies a file from the private storage to the registry."""

    egress: Required[NamedFile]


class StepCheckpoint(TypedDict, total=False):
    """Saves state of this size in the registry: another attempt goes on after this step."""

    checkpoint: Required[Bytes]


class StepFail(TypedDict, total=False):
    """Fails with a message."""

    fail: Required[str]


Step: TypeAlias = "StepSleep | StepCompute | StepWrite | StepCreate | StepRead | StepIngress | StepReadRemote | StepEgress | StepCheckpoint | StepFail"
"""A step of a body: an object with one key, as in `{"sleep": "10s"}`."""


StorageSharing: TypeAlias = 'Literal["reference", "fair"]'
"""How transfers that meet at a full disk or link share it, in the fluid network.
- `reference`: As WRENCH does: by the weights of LV08, with which reads and writes within a node get next to
  nothing of a disk beside a copy over a link (the timing model, section 2).
- `fair`: In equal parts.
"""


class TaskData(TypedDict, total=False):
    """A task, and the data that it hands to one of those that follow."""

    data: Required[Bytes]
    """Bytes that each of its instances hands to each instance that follows."""

    task: Required[str]
    """Its name."""


class Task(TypedDict, total=False):
    """A task of a workflow."""

    after: list[After]
    """The tasks that must have ended before."""

    body: list[Step] | None
    """A body of its own instead of the function's."""

    choice: str | None
    """Of the tasks of one choice at most one is done in a run."""

    function: Required[str]
    """What it invokes."""

    input: Bytes
    """Bytes that each instance takes from the disk of the registry before its body begins."""

    map: int | None
    """How many instances there are, beside one another; without it, one."""

    name: Required[str]
    """Its name."""

    output: Bytes
    """Bytes that each instance hands to each instance of the tasks after it."""

    probability: float | None
    """The chance that it is done in a run; without it, it always is."""

    run_time: Distribution | None
    """Instead of a body: how long each instance runs, in seconds, drawn when the run is requested."""


class TimeColumnObject(TypedDict, total=False):
    """A column: its name, and what its numbers are in."""

    name: Required[str]
    """Its name in the first line of the file."""

    unit: Literal["ns", "us", "ms", "s", "min", "h", "d"]
    """What its numbers are in."""


TimeColumn: TypeAlias = "str | TimeColumnObject"
"""A column: its name, or name and unit; without a unit, its numbers are in base units."""


TraceFormat: TypeAlias = 'Literal["csv", "azure-functions-2019", "azure-functions-2021"]'
"""The format of a trace.
- `csv`: Rows of `arrival_s,function,duration_s`, in the order of time.
- `azure-functions-2019`: The Azure Functions trace of 2019: a folder with three files a day.
- `azure-functions-2021`: The Azure Functions invocation trace of 2021: rows of
  `app,func,end_timestamp,duration`.
"""


class TraceArguments(TypedDict, total=False):
    """A trace. Files whose names end in `.gz` or `.zst` are decompressed."""

    applications: bool
    """With the traces of Azure: whether the functions of each application are served by the same instances,
    which are as the service says and have the RAM of the function with the most.
    """

    cold_start: Seconds | None
    """How long a container takes to start, for functions that the trace declares; without it, the service's
    time.
    """

    columns: Columns
    """With `csv`: what its columns are called, and in which units they are."""

    days: list[int]
    """With the trace of 2019: which days, in this order; without it, all that are in the folder."""

    default_ram: Ram | None
    """RAM of functions of which the trace does not tell it, the same for all or drawn for each; without it, 170
    MB, the median of 2019. With `csv`, functions that nobody declares are declared with it.
    """

    default_run_time: Seconds | None
    """Run time of functions of which the trace of 2019 does not tell it; without it, a second."""

    functions_path: str | None
    """With `csv`: a file of rows `function,memory_mb,cold_start_s`, relative to the scenario file, that declares
    functions without image, with this RAM limit and startup time.
    """

    lenient: bool
    """Pass over rows that are wrong, and count them, instead of stopping at the first."""

    offset: Offset | None
    """What is taken from the date of every request: a time, or `first` for the date of the first request, so
    that time starts with it. It comes before everything else that is chosen of a trace.
    """

    rate: float | None
    """How many times as many invocations: each is there so often, a fraction by chance."""

    select: Select
    """Which part of the trace counts."""

    sort: bool
    """With `csv`: whether the rows are to be sorted by time, in memory (at most 100 million); without it, they
    must be.
    """

    within_minute: WithinMinute
    """With the trace of 2019: how the invocations of a minute lie in it."""


class Trace(TraceArguments, total=False):
    """A trace. Files whose names end in `.gz` or `.zst` are decompressed."""

    format: Required[TraceFormat]
    """Its format."""

    path: Required[str]
    """The file, or for the trace of 2019 the folder, relative to the scenario file."""


WithinMinute: TypeAlias = 'Literal["uniform", "poisson", "equal"]'
"""How the invocations of a minute lie in it.
- `uniform`: As many as the trace says, each anywhere in the minute.
- `poisson`: A Poisson process whose mean is what the trace says.
- `equal`: As many as the trace says, at equal distances.
"""


class WorkflowArguments(TypedDict, total=False):
    """A workflow: its tasks, or a file that has them."""

    deadline: Seconds | None
    """How long a run may take; nothing is stopped that takes longer."""

    function: str | None
    """With `wfcommons`: the function that other tasks invoke."""

    wfcommons: str | None
    """A workflow of WfCommons (WfFormat 1.5), relative to the scenario file. A task invokes the function of its
    name, of its program, or of its name without the number at the end, whichever there is first.
    """


class Workflow(WorkflowArguments, total=False):
    """A workflow: its tasks, or a file that has them."""

    name: Required[str]
    """Its name; functions and workflows have different names."""

    tasks: list[Task]
    """Its tasks."""


class Workload(TypedDict, total=False):
    """What is invoked, and when: one of these."""

    compute: Compute | None
    """Run times of the trace, or of what is drawn, are work of processors; without it, time that passes."""

    generate: Generator | None
    """Drawn at random."""

    invocations: list[Invocation]
    """The invocations one by one, numbered from 0."""

    trace: Trace | None
    """A trace, read as a stream."""


class ScenarioArguments(TypedDict, total=False):
    """A scenario."""

    applications: list[Application]
    """Functions that are served by the same instances."""

    base: Base | None
    """The platform whose settings it was written over; they stand in it now."""

    description: str
    """Free text."""

    faults: Faults | None
    """What goes wrong."""

    files: list[File]
    """Files in the registry."""

    functions: list[Function]
    """The functions."""

    horizon: Seconds | None
    """When to stop; what has not ended by then is reported as unfinished."""

    images: list[Image]
    """Container images."""

    max_events_without_progress: int | None
    """After how many events in a row that move no invocation on to stop with an error; without it, after ten
    million; with 0, never.
    """

    network_model: NetworkModel
    """How transfers are timed."""

    platform: Platform
    """What is simulated on."""

    policies: Policies
    """The choices that the service makes."""

    prices: Prices | None
    """What a provider asks for."""

    recovery: Recovery | None
    """What is done about it."""

    seed: int
    """All random numbers are drawn from it."""

    service: Service
    """The service."""

    storage_sharing: StorageSharing
    """How transfers that meet at a full disk share it."""

    workflows: list[Workflow]
    """Functions that follow one another."""

    workload: Workload
    """What is invoked, and when."""


class Scenario(ScenarioArguments, total=False):
    """A scenario."""

    format: Required[Literal["hearth-scenario/1"]]
    """The version of the format: `hearth-scenario/1`."""

    name: str
    """Its name, for results."""
