"""What newcomers stumble over: where policies serve that are given to a run, and streams that end evenly."""

from __future__ import annotations

import pytest

import hearth

SCENARIO = "examples/quickstart.json"


class Keeps(hearth.NodeAllocation, hearth.KeepAlive):
    def place(self, request, cluster):  # type: ignore[no-untyped-def]
        fits = (node for node in cluster.free_core if cluster.node(node).can_make_room(request))
        return next(fits, None)

    def on_idle(self, completion):  # type: ignore[no-untyped-def]
        return 7.0


class Oldest(hearth.Eviction):
    def __init__(self) -> None:
        self.ids: dict[int, None] = {}

    def insert(self, item):  # type: ignore[no-untyped-def]
        self.ids[item.id] = None

    def remove(self, id, why, now):  # type: ignore[no-untyped-def]
        del self.ids[id]

    def choose(self, need):  # type: ignore[no-untyped-def]
        return list(self.ids)


def names(run: hearth.Run) -> dict[str, str]:
    return {slot: policy["name"] for slot, policy in run.summary["policies"].items()}


@pytest.fixture(autouse=True)
def in_project(project, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(project)


@pytest.mark.parametrize("policies", [Keeps, {"controller": Keeps}, {"node_allocation": Keeps, "keep_alive": Keeps}])
def test_one_of_several_kinds_serves_in_all_of_them_as_one(policies: object) -> None:
    run = hearth.run(SCENARIO, policies=policies)  # type: ignore[arg-type]
    assert names(run)["node_allocation"] == names(run)["keep_alive"] == "Keeps"
    assert run.policy("node_allocation") is run.policy("keep_alive")
    assert names(run)["admission"] == "always"


@pytest.mark.parametrize("choice", [Oldest, "fifo"])
def test_eviction_is_all_of_it(choice: object) -> None:
    run = hearth.run(SCENARIO, policies={"eviction": choice})  # type: ignore[dict-item]
    evicting = {slot: name for slot, name in names(run).items() if slot.startswith("eviction.")}
    assert len(evicting) == 4
    assert set(evicting.values()) == {"Oldest" if choice is Oldest else "fifo"}


def test_what_does_not_say_where_it_serves_is_told_how() -> None:
    with pytest.raises(hearth.ScenarioError, match="'fixed' does not say where it serves, as 'keep_alive=fixed' does"):
        hearth.compare(SCENARIO, ["fixed", "no-keep-alive"])
    with pytest.raises(
        hearth.ScenarioError, match="expected a policy, or policies by their slots: there are controller"
    ):
        hearth.run(SCENARIO, policies=7)  # type: ignore[arg-type]


def test_a_stream_has_no_empty_part() -> None:
    stream = hearth.stream(SCENARIO, rows=17)
    assert [len(part) for part in stream] == [17, 17]
    assert stream.run is not None
    assert stream.run.summary["invocations"] == 34
