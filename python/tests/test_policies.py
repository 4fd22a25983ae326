"""Policies in Python: the same decisions as compiled ones, views that are there during their call, and errors with their cause."""

from __future__ import annotations

import _thread
import gc
import json
import math
import re
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import hearth
import pytest
from hearth import _hearth

numpy = pytest.importorskip("numpy")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUICKSTART = EXAMPLES / "quickstart.json"
GENERATED = EXAMPLES / "generated.json"
INSTANCES = EXAMPLES / "instances.json"


class FirstFit(hearth.NodeAllocation):
    """The built-in `first-fit`."""

    def place(self, request, cluster):
        warm = cluster.free_core.first_also_in(cluster.idle_container)
        if warm is not None:
            return warm
        free = list(cluster.free_core)
        with_room = (node for node in free if cluster.node(node).has_room(request))
        with_eviction = (node for node in free if cluster.node(node).can_make_room(request))
        return _first(with_room, with_eviction)


def _first(*many):
    return next((one for all in many for one in all), None)


class FirstFitByArrays(hearth.NodeAllocation):
    """The same by arrays over the simulator's memory."""

    def place(self, request, cluster):
        free = cluster.free_core.mask()
        warm = free & cluster.idle_container.mask()
        room = free & (cluster.free_ram >= request.ram_limit) & (cluster.free_disk >= request.disk_limit)
        could_have = free & (
            cluster.free_ram + cluster.idle_ram + cluster.unused_image_ram >= request.ram_limit
        ) & (cluster.free_disk + cluster.idle_disk + cluster.unused_image_disk >= request.disk_limit)
        for nodes in (warm, room, could_have):
            if nodes.any():
                return nodes.argmax()
        return None


class Fixed(hearth.KeepAlive):
    """The built-in `fixed`."""

    def __init__(self, timeout: float = 600.0) -> None:
        self.timeout = timeout

    def on_idle(self, completion):
        return self.timeout


class Lru(hearth.Eviction):
    """The built-in `lru`."""

    def __init__(self) -> None:
        self.items: OrderedDict[int, None] = OrderedDict()

    def insert(self, item):
        self.items[item.id] = None

    def touch(self, id, why, now):
        self.items.move_to_end(id)

    def remove(self, id, why, now):
        del self.items[id]

    def choose(self, need):
        return self.items


class QueueLimit(hearth.Admission):
    """The built-in `queue-limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def admit(self, request, load, cluster):
        if load.waiting >= self.limit and not load.has_place:
            return hearth.Reject(f"{load.waiting} invocations wait, the limit is {self.limit}")
        return True


class Concurrency(hearth.Autoscaling):
    """The built-in `concurrency`."""

    asked_on_requests = True

    def scale(self, instances):
        concurrency = 100 if instances.concurrency is None else max(instances.concurrency, 1)
        filled = math.ceil((instances.waiting + instances.running) / concurrency)
        return max(filled, instances.wanted) if instances.cause == "request" else filled


EVICTION = ["eviction.containers", "eviction.images_in_ram", "eviction.images_on_disk", "eviction.images_on_head"]


def outcome(scenario: Any, policies: Any, **options: Any) -> tuple[Any, ...]:
    """All that a run says, but for what its policies are called."""
    run = hearth.run(scenario, policies=policies, **options)
    summary = {key: value for key, value in run.summary.items() if key != "policies"}
    tables = [run.invocations, run.functions, run.timeseries, run.distributions]
    return summary, [table.to_dict() for table in tables]


@pytest.mark.parametrize("scenario", [QUICKSTART, GENERATED], ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("compiled", "python"),
    [
        ({"node_allocation": "first-fit"}, {"node_allocation": FirstFit}),
        ({"node_allocation": "first-fit"}, {"node_allocation": FirstFitByArrays}),
        ({"keep_alive": "fixed,timeout=5min"}, {"keep_alive": Fixed(300)}),
        (dict.fromkeys(EVICTION, "lru"), dict.fromkeys(EVICTION, Lru)),
        ({"admission": "queue-limit,limit=1"}, {"admission": QueueLimit(1)}),
    ],
    ids=["first-fit", "first-fit by arrays", "fixed", "lru", "queue-limit"],
)
def test_the_same_decisions_give_the_same_run(scenario, compiled, python):
    set = {"platform.hosts[node].cores": 1} if scenario == QUICKSTART else None
    expected = outcome(scenario, compiled, set=set)
    assert repr(outcome(scenario, python, set=set)) == repr(expected)
    assert repr(expected) != repr(outcome(scenario, {"keep_alive": "no-keep-alive"}, set=set))


def test_an_autoscaler_gives_the_run_of_the_compiled_one():
    expected = outcome(INSTANCES, {"autoscaling": "concurrency"})
    assert repr(outcome(INSTANCES, {"autoscaling": Concurrency})) == repr(expected)
    assert repr(outcome(INSTANCES, {"autoscaling": "kpa"})) != repr(expected)


def test_python_and_compiled_policies_serve_side_by_side():
    compiled = {"keep_alive": "fixed,timeout=5min", "node_allocation": "least-loaded", "eviction.containers": "greedy-dual"}
    assert repr(outcome(GENERATED, {**compiled, "keep_alive": Fixed(300)})) == repr(outcome(GENERATED, compiled))


def test_what_is_shown_is_what_the_interface_has():
    header = (EXAMPLES.parent / "policy-api/include/hearth_policy.h").read_text()
    records = {
        "hearth_request": _hearth.Request,
        "hearth_node": _hearth.Node,
        "hearth_end": _hearth.End,
        "hearth_container_event": _hearth.ContainerEvent,
        "hearth_delayed_start": _hearth.DelayedStart,
        "hearth_item": _hearth.Item,
        "hearth_need": _hearth.Need,
        "hearth_scale_view": _hearth.Instances,
        "hearth_pool_node": _hearth.PoolNode,
        "hearth_pending": _hearth.Pending,
        "hearth_function_history": _hearth.History,
        "hearth_container": _hearth.Container,
    }
    for name, shown in records.items():
        body = re.search(r"typedef struct \{((?:(?!typedef struct).)*?)\n\} " + name + ";", header, re.DOTALL)
        assert body, name
        text = re.sub(r"//[^\n]*", "", body.group(1))
        fields = [re.split(r"[\s*]+", line.strip())[-1] for line in text.split(";") if line.strip()]
        # What becomes of a container is told by `is_idle` and `is_busy`.
        told_otherwise = {"size", "state"} if name == "hearth_container" else {"size"}
        assert [field for field in fields if field not in told_otherwise] == list(shown.FIELDS)


def test_arrays_are_those_of_the_nodes_and_cannot_be_written():
    class Looks(hearth.NodeAllocation):
        looked = 0

        def place(self, request, cluster):
            for name in _hearth.Node.FIELDS:
                array = getattr(cluster, name)
                assert array.tolist() == [getattr(cluster.node(node), name) for node in range(len(cluster))]
                assert not array.flags.writeable and not array.flags.owndata
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 1
            Looks.looked += 1
            return cluster.free_core.first()

    hearth.run(QUICKSTART, policies=Looks)
    assert Looks.looked > 30


def test_sets_of_nodes_are_sets():
    class Looks(hearth.NodeAllocation):
        def place(self, request, cluster):
            free, up = set(cluster.free_core), set(cluster.up)
            assert free == {node for node in range(len(cluster)) if node in cluster.free_core} and free <= up
            assert len(cluster.free_core) == len(free) and bool(cluster.free_core) == bool(free)
            assert set(cluster.up - cluster.free_core) == up - free
            assert set(cluster.up & cluster.free_core) == free and set(cluster.up | cluster.free_core) == up
            assert cluster.free_core.mask().tolist() == [node in free for node in range(len(cluster))]
            assert cluster.free_core.first() == min(free, default=None)
            assert {node for node in up if cluster.node(node).free_cores > 0} == free
            own = cluster.up - cluster.free_core
            self.own = getattr(self, "own", own)
            assert all(node in cluster.up for node in self.own)
            return cluster.free_core.first()

    hearth.run(QUICKSTART, policies=Looks)


@pytest.mark.parametrize("part", ["cluster", "set"])
def test_a_view_that_is_kept_raises_when_its_call_is_over(part):
    class Keeps(hearth.NodeAllocation):
        raised = 0

        def place(self, request, cluster):
            if hasattr(self, "kept"):
                with pytest.raises(ReferenceError, match="during one call of the policy alone"):
                    self.kept.now if part == "cluster" else self.kept.first()
                Keeps.raised += 1
            self.kept = cluster if part == "cluster" else cluster.free_core
            return cluster.free_core.first()

    run = hearth.run(QUICKSTART, policies=Keeps)
    kept = run.policy("node_allocation").kept
    with pytest.raises(ReferenceError):
        len(kept)
    assert Keeps.raised > 30


@pytest.mark.parametrize(
    "view",
    [
        lambda cluster: cluster.free_ram,
        lambda cluster: cluster.free_ram[1:],
        lambda cluster: cluster.free_ram.reshape(-1, 1)[::-1],
        lambda cluster: memoryview(cluster.free_ram),
        lambda cluster: numpy.asarray(cluster.free_ram),
    ],
    ids=["array", "slice", "view of a view", "memoryview", "asarray"],
)
def test_an_array_that_is_kept_ends_the_run_and_may_be_looked_at_all_the_same(view):
    class Keeps(hearth.NodeAllocation):
        def place(self, request, cluster):
            self.kept = view(cluster)
            return cluster.free_core.first()

    policy = Keeps()
    cure = re.escape("keep a copy, cluster.free_ram.copy()")
    with pytest.raises(hearth.PolicyError, match=cure) as caught:
        hearth.run(QUICKSTART, policies={"node_allocation": policy})
    with pytest.raises(hearth.SimulationError, match=cure):
        hearth.compare(QUICKSTART, {"keeps": Keeps, "fcfs": "node_allocation=fcfs"})
    with pytest.raises(hearth.PolicyError, match=cure):
        hearth.check_policy(Keeps, cases=3)
    kept = _served(caught.value, "node_allocation").kept
    del caught
    gc.collect()
    # The memory is there yet, whatever stands in it.
    assert len(kept.tolist()) == len(kept)


def _served(error: Any, slot: str) -> Any:
    return error.run.policy(slot)


def test_a_copy_of_an_array_may_be_kept():
    class Keeps(hearth.NodeAllocation):
        def place(self, request, cluster):
            self.kept = cluster.free_ram.copy()
            return cluster.free_core.first()

    kept = hearth.run(QUICKSTART, policies=Keeps).policy("node_allocation").kept
    assert kept.shape == (3,)


def test_records_may_be_kept():
    class Keeps(hearth.NodeAllocation):
        def setup(self, context):
            self.requests = []

        def place(self, request, cluster):
            self.requests.append(request)
            return cluster.free_core.first()

    run = hearth.run(QUICKSTART, policies=Keeps)
    requests = {request.invocation: request for request in run.policy("node_allocation").requests}
    submitted = dict(zip(run.invocations["invocation"], run.invocations["submitted_at"]))
    assert all(request.submitted_at == submitted[number] for number, request in requests.items())
    assert len(requests) == 34


def test_an_exception_ends_the_run_with_its_traceback_the_date_and_the_call():
    class Raises(hearth.KeepAlive):
        calls = 0

        def on_idle(self, completion):
            self.calls += 1
            if self.calls == 3:
                raise KeyError("third")
            return 60

    with pytest.raises(hearth.PolicyError) as caught:
        hearth.run(QUICKSTART, policies=Raises)
    text = str(caught.value)
    assert re.fullmatch(
        r'the simulation stopped: policies\.keep_alive: "Raises" failed in on_idle: raised KeyError: \'third\' \(test_policies\.py:\d+\), at [\d.]+ s', text
    ), text
    cause = caught.value.__cause__
    assert isinstance(cause, KeyError) and cause.__traceback__ is not None
    assert caught.value.run.summary["interrupted"] is True
    assert "third" in caught.value.run.summary["stopped_by"]


@pytest.mark.parametrize("moment", ["__init__", "setup"])
def test_what_is_raised_as_a_policy_is_made_is_told(moment):
    def broken(self, *_):
        raise OSError("no such model")

    policy = type("Broken", (Fixed,), {moment: broken})
    with pytest.raises(hearth.ScenarioError, match=r'"Broken" cannot be made: raised OSError: no such model') as caught:
        hearth.run(QUICKSTART, policies=policy)
    assert isinstance(caught.value.__cause__, OSError)


WRONG_ANSWERS = [
    (hearth.NodeAllocation, "place", "node-1", "expected the number of a node, None, or one of hearth.Warm"),
    (hearth.NodeAllocation, "place", -1, "expected the number of a node"),
    (hearth.NodeAllocation, "place", 1.5, "expected the number of a node"),
    (hearth.NodeAllocation, "place", 99, "node 99"),
    (hearth.KeepAlive, "on_idle", None, "on_idle answered None: expected seconds"),
    (hearth.KeepAlive, "on_idle", -1, "on_idle: expected seconds from 0 on"),
    (hearth.KeepAlive, "on_idle", math.nan, "found NaN"),
    (hearth.Admission, "admit", None, "expected True, False, hearth.Reject or hearth.Delay"),
    (hearth.Eviction, "choose", 7, "choose answered 7: expected the ids of items"),
    (hearth.Eviction, "choose", [10_000], "10000"),
    (hearth.Eviction, "choose", ["a"], "choose answered 'a'"),
    (hearth.BatchAllocation, "plan", [3], "plan answered 3: expected pairs"),
]


@pytest.mark.parametrize(("kind", "method", "answer", "told"), WRONG_ANSWERS)
def test_an_answer_that_is_none_is_told_with_what_is_expected(kind, method, answer, told):
    policy = type("Wrong", (kind,), {method: lambda self, *_: answer})
    policies = {"eviction.images_in_ram": policy} if kind is hearth.Eviction else policy
    with pytest.raises(hearth.PolicyError, match=re.escape(told)):
        hearth.run(QUICKSTART, policies=policies, set={"platform.hosts[node].ram": "3GB"})


def test_a_class_without_its_method_says_which():
    with pytest.raises(hearth.PolicyError, match=r"Nothing has no place\(request, cluster\)"):
        hearth.run(QUICKSTART, policies=type("Nothing", (hearth.NodeAllocation,), {}))


class Counts(hearth.KeepAlive):
    def __init__(self) -> None:
        self.count = 0

    def on_idle(self, completion):
        self.count += 1
        return 60 * self.count


def test_runs_share_nothing():
    counts = Counts()
    first, second = (hearth.run(QUICKSTART, policies=counts) for _ in range(2))
    assert counts.count == 0 and first.policy("keep_alive").count == second.policy("keep_alive").count > 0
    assert first.summary == second.summary
    # Nor do the runs of a sweep, of which a thread does many.
    swept = hearth.sweep(QUICKSTART, policies={"class": Counts, "instance": counts}, seeds=range(4), threads=1)
    assert set(swept.runs["latency_mean"]) == {first.summary["latency"]["mean"]}


class Both(hearth.NodeAllocation, hearth.KeepAlive):
    """Keeps containers as long as it has seen requests."""

    def __init__(self) -> None:
        self.placed: set[int] = set()

    def place(self, request, cluster):
        self.placed.add(request.invocation)
        return cluster.free_core.first()

    def on_idle(self, completion):
        return len(self.placed)


def test_one_policy_in_several_slots_is_one_instance():
    run = hearth.run(QUICKSTART, policies={"node_allocation": Both, "keep_alive": Both})
    assert run.policy("node_allocation") is run.policy("keep_alive")
    assert len(run.policy("keep_alive").placed) == 34
    assert hearth.run(QUICKSTART, policies=Both).summary == run.summary
    for threads in (1, 2):
        swept = hearth.sweep(
            QUICKSTART, policies={"both": {"node_allocation": Both, "keep_alive": Both}}, seeds=range(3), threads=threads
        )
        assert set(swept.runs["latency_mean"]) == {run.summary["latency"]["mean"]}


def test_each_storage_has_an_instance_of_its_own():
    run = hearth.run(QUICKSTART, policies={"eviction.images_on_disk": Lru})
    assert len({id(run.policy("eviction.images_on_disk", node)) for node in range(3)}) == 3


def test_chance_comes_from_the_seed_of_the_context():
    class Random(hearth.NodeAllocation):
        def setup(self, context):
            self.random = numpy.random.default_rng(context.seed)

        def place(self, request, cluster):
            free = cluster.free_core.to_list()
            return self.random.choice(free) if free else None

    latencies = [outcome(GENERATED, Random, seed=seed)[1] for seed in (1, 1, 2)]
    assert repr(latencies[0]) == repr(latencies[1]) != repr(latencies[2])


def test_timers_and_actions():
    class EveryMinute(hearth.KeepAlive):
        def setup(self, context):
            super().setup(context)
            self.dates = []
            context.wake_at(7, 60.0)

        def on_idle(self, completion):
            return 0

        def on_timer(self, timer, cluster):
            assert timer == 7
            self.dates.append(cluster.now)
            self.context.start_containers(0, keep_for=30)
            self.context.wake_at(7, cluster.now + 60)

    run = hearth.run(QUICKSTART, policies=EveryMinute)
    policy = run.policy("keep_alive")
    assert policy.dates[:3] == [60.0, 120.0, 180.0]
    assert run.summary["warm_starts"] > hearth.run(QUICKSTART, policies={"keep_alive": "no-keep-alive"}).summary["warm_starts"]
    with pytest.raises(ReferenceError, match="in its calls alone"):
        policy.context.wake_at(1, 1.0)


def test_what_a_class_overrides_is_what_it_hears_of():
    heard: dict[str, int] = {}

    def hears(name):
        def method(self, *arguments):
            heard[name] = heard.get(name, 0) + 1

        return method

    names = ["observe", "on_end", "on_container", "on_workflow"]
    policy = type("Hears", (FirstFit,), {name: hears(name) for name in names})
    hearth.run(EXAMPLES / "workflows.json", policies=policy)
    assert set(heard) == set(names) and all(heard.values())


def test_history_is_shown_to_who_asks():
    class Sees(hearth.KeepAlive):
        sees_history = True

        def on_idle(self, completion):
            self.last = completion.history
            return 60

    class SeesNot(Fixed):
        def on_idle(self, completion):
            assert completion.history is None
            return 60

    history = hearth.run(QUICKSTART, policies=Sees).policy("keep_alive").last
    assert history.arrivals > 0 and history.last_arrival is not None and 0 < history.mean_run_time < 60
    hearth.run(QUICKSTART, policies=SeesNot)


def test_other_placements():
    class Answers(hearth.NodeAllocation):
        queues = True

        def place(self, request, cluster):
            if request.invocation == 5:
                return hearth.Reject("not five")
            idle = [it for node in cluster.free_core for it in [(node, cluster.containers_on(node))] if it[1]]
            for node, containers in idle:
                for container in containers:
                    if container.is_idle and container.function == request.function:
                        return hearth.Warm(node, container.container)
            free = cluster.free_core.first()
            return hearth.Queue(cluster.up, until=cluster.now + 5) if free is None else hearth.Cold(free)

    run = hearth.run(QUICKSTART, policies=Answers)
    outcomes = dict(zip(run.invocations["invocation"], run.invocations["failure"]))
    assert "not five" in str(outcomes[5]) and run.summary["warm_starts"] > 0


def test_a_batch_of_requests_is_planned():
    class OneEach(hearth.BatchAllocation):
        def plan(self, batch):
            assert [request.function for request in batch.queue] and len(batch.nodes) == 3
            return zip(range(len(batch.queue)), batch.up)

    assert hearth.run(QUICKSTART, policies=OneEach).summary["outcomes"]["completed"] == 32


def test_queues_are_shed():
    class Impatient(FirstFit):
        def shed(self, queue):
            for position, request in enumerate(queue.heads):
                if queue.now - request.submitted_at > 1:
                    return position, hearth.Reject("has waited for a second")
            return None

    run = hearth.run(QUICKSTART, policies=Impatient, set={"platform.hosts[node].count": 1, "platform.hosts[node].cores": 1})
    assert "has waited for a second" in {failure for failure in run.invocations["failure"] if failure}


@pytest.mark.parametrize(
    "candidate",
    [FirstFit, FirstFitByArrays, Fixed, Fixed(60), Lru, QueueLimit(3), Concurrency, Both],
    ids=lambda candidate: getattr(candidate, "__name__", type(candidate).__name__),
)
def test_the_kit_finds_no_fault_in_sound_policies(candidate):
    waive = ["respects_capacity", "work_conserving"] if candidate is Both else []
    hearth.check_policy(candidate, cases=20, waive=waive)


class ForgetsTheLast(Lru):
    def choose(self, need):
        return list(self.items)[:-1]


class TakesAny(hearth.NodeAllocation):
    def place(self, request, cluster):
        return 0


class LetsNobodyIn(hearth.Admission):
    def admit(self, request, load, cluster):
        return False


class RemembersAcrossInstances(hearth.KeepAlive):
    calls = 0

    def on_idle(self, completion):
        type(self).calls += 1
        return type(self).calls


class InNanoseconds(hearth.KeepAlive):
    def on_idle(self, completion):
        return 600e9 if completion.now > 0 else 60


@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (ForgetsTheLast, "ForgetsTheLast"),
        (TakesAny, "TakesAny"),
        (LetsNobodyIn, "LetsNobodyIn"),
        (RemembersAcrossInstances, "RemembersAcrossInstances"),
        (InNanoseconds, "InNanoseconds"),
    ],
)
def test_the_kit_finds_faults(candidate, told):
    with pytest.raises(hearth.PolicyError, match=told) as caught:
        hearth.check_policy(candidate, cases=50)
    assert "after" in str(caught.value)


def test_the_kit_says_how_a_promise_is_taken_back():
    with pytest.raises(hearth.PolicyError, match=r"for a policy that means it: waive=\[\"lets_in_when_idle\"\]"):
        hearth.check_policy(LetsNobodyIn, cases=20)
    hearth.check_policy(LetsNobodyIn, cases=20, waive=["lets_in_when_idle"])
    with pytest.raises(hearth.ScenarioError, match="waive: 'lets_in' is no promise of policies|\"lets_in\" is no promise"):
        hearth.check_policy(LetsNobodyIn, waive=["lets_in"])


def test_ctrl_c_ends_a_check():
    class Loops(hearth.KeepAlive):
        calls = 0

        def on_idle(self, completion):
            Loops.calls += 1
            if Loops.calls == 1:
                _thread.interrupt_main()
            end = time.monotonic() + 20
            while time.monotonic() < end:
                pass
            return 60

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        hearth.check_policy(Loops, cases=20)
    assert Loops.calls == 1 and time.monotonic() - begin < 15


def test_the_kit_tells_the_exception():
    class Raises(hearth.KeepAlive):
        def on_idle(self, completion):
            return {}[completion.function]

    with pytest.raises(hearth.PolicyError, match="raised KeyError") as caught:
        hearth.check_policy(Raises, cases=5)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ({"keepalive": Fixed}, "unknown slot 'keepalive': there are controller, admission"),
        ({"keep_alive": FirstFit}, "expected the name of a policy or a subclass of hearth.KeepAlive"),
        ({"keep_alive": 7}, "found 7, expected the name of a policy"),
        ({"keep_alive": "hybrid"}, 'unknown keep-alive policy "hybrid"'),
    ],
)
def test_a_policy_in_the_wrong_place_is_refused(policies, told):
    with pytest.raises(hearth.ScenarioError, match=re.escape(told)):
        hearth.run(QUICKSTART, policies=policies)


def test_two_policies_of_one_name_are_told_apart():
    run = hearth.run(QUICKSTART, policies={"eviction.images_on_disk": Lru, "eviction.containers": type("Lru", (Lru,), {})})
    names = {slot: policy["name"] for slot, policy in run.summary["policies"].items()}
    assert (names["eviction.images_on_disk"], names["eviction.containers"]) == ("Lru", "Lru-2")


def test_results_say_what_a_policy_was_made_of():
    versions = [hearth.run(QUICKSTART, policies=Fixed(timeout)).summary["policies"]["keep_alive"] for timeout in (1, 1, 2)]
    assert versions[0] == versions[1] and versions[0]["version"] != versions[2]["version"]
    assert re.fullmatch(r"python [0-9a-f]{16}", versions[0]["version"]) and versions[0]["name"] == "Fixed"
    assert json.dumps(versions)


class Rare(hearth.Eviction):
    """Is called as storages are made, and hardly after that."""

    def choose(self, need):
        return []


@pytest.mark.parametrize("policies", [{"eviction.images_on_head": Rare}, {"keep_alive": Fixed}], ids=["rare", "often"])
def test_others_go_on_while_policies_in_python_serve(policies):
    """The interpreter is held while a simulation calls policies all the time, and lent to others."""
    stop, beats = threading.Event(), []

    def beat():
        while not stop.is_set():
            beats.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=beat)
    thread.start()
    begin = time.monotonic()
    try:
        hearth.run(GENERATED, policies=policies, set={"workload.generate.requests": 400_000}, invocations=False)
    finally:
        stop.set()
        thread.join()
    length = time.monotonic() - begin
    gaps = [later - earlier for earlier, later in zip(beats, beats[1:])]
    assert len(beats) > 10 * length, (length, len(beats))
    assert max(gaps) < max(0.5, length / 4), max(gaps)
