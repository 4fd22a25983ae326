"""What there is: policies, platforms, the schema."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import hearth
import pytest
from hearth.catalog import KINDS


def test_policies_of_each_kind_tell_their_parameters() -> None:
    everything = hearth.policies()
    assert len(everything) > 40
    for kind in KINDS:
        of_kind = hearth.policies(kind)
        assert 0 < len(of_kind) < len(everything)
        assert all(kind in one.kinds and one.library is None for one in of_kind)
    fixed = hearth.policies("keep-alive")["fixed"]
    assert fixed.slots == ("keep_alive",) and fixed.description and fixed.version.count(".") == 2
    [timeout] = [one for one in fixed.parameters if one.name == "timeout"]
    assert (timeout.kind, timeout.default) == ("duration", "600s") and "time in seconds" in timeout.takes
    assert repr(fixed) == "<policy 'fixed' (keep_alive): timeout=600s>"
    containers = hearth.policies("eviction")["lru"]
    assert "eviction.containers" in containers.slots
    [touch] = containers.parameters
    assert touch.kind == "choice" and touch.words == ("use", "load") and touch.default == "use"
    controllers = [one for one in everything if len(one.kinds) > 1]
    assert any(one.name == "knative-autoscaler" for one in controllers)


def test_ranges_are_numbers() -> None:
    parameters = [parameter for policy in hearth.policies() for parameter in policy.parameters]
    integers = [one for one in parameters if one.kind == "integer"]
    assert any(one.max is None for one in integers) and any(one.max is not None for one in integers)
    for one in integers:
        assert one.min is not None and (one.default is None or one.default >= one.min), one
    assert {one.kind for one in parameters} >= {"duration", "integer", "number", "choice", "flag"}


def test_defaults_are_what_a_scenario_takes() -> None:
    for kind in ("keep_alive", "admission", "node_allocation"):
        for policy in hearth.policies(kind):
            given = {one.name: one.default for one in policy.parameters if one.default is not None}
            scenario = (
                hearth.Scenario("defaults")
                .host("node", cores=1, speed=1, ram="1GB")
                .service(head="node", registry="node", nodes=["node"])
                .set(workload={"invocations": []})
                .policy(**{kind: {"use": policy.name, **given}})  # type: ignore[arg-type]
            )
            try:
                scenario.validate()
            except hearth.ScenarioError as error:
                # Some need a parameter that has no default that would do.
                assert "parameter" not in str(error), (policy.name, error)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(hearth.ScenarioError, match="kind: found 'keep', expected one of node_allocation, "):
        hearth.policies("keep")
    with pytest.raises(KeyError, match="there are always, "):
        hearth.policies("admission")["alway"]
    wrong = tmp_path / "wrong.so"
    wrong.write_text("nothing")
    with pytest.raises(hearth.ScenarioError, match=r"wrong.so is not a shared library"):
        hearth.policies(libraries=[wrong])
    with pytest.raises(hearth.ScenarioError, match=r"wrong.so is not a shared library"):
        hearth.policies(plugin_dirs=[tmp_path])
    with pytest.raises(hearth.ScenarioError, match=r'no platform "lamda".*did you mean "lambda"\?'):
        hearth.platform("lamda")


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler of C")
def test_libraries_are_opened(project: Path, tmp_path: Path) -> None:
    library = tmp_path / "policies.so"
    source, header = project / "examples/policies/c/policies.c", project / "policy-api/include"
    subprocess.run(["cc", "-shared", "-fPIC", "-I", header, "-o", library, source], check=True)
    built_in = len(hearth.policies())
    for found in (hearth.policies(libraries=[library]), hearth.policies(plugin_dirs=[tmp_path])):
        loaded = [one for one in found if one.library == str(library)]
        assert loaded and len(found) == built_in + len(loaded)
        assert all(one.name and one.kinds and one.description for one in loaded)
    scenario = hearth.Scenario("compiled", base="openwhisk").function("f", ram_limit="128MB").invoke("f", at=0)
    slot = loaded[0].slots[0].partition(".")[0]
    scenario.policy(**{slot: {"use": loaded[0].name, "library": library}})  # type: ignore[arg-type]
    assert scenario.validate() == []


def test_platforms_tell_where_settings_come_from() -> None:
    platforms = hearth.platforms()
    assert [one.name for one in platforms] == sorted(one.name for one in platforms) and len(platforms) >= 7
    knative = platforms["knative"]
    assert knative == hearth.platform("knative")
    assert knative.missing and knative.scenario["policies"]["autoscaling"]["use"] == "kpa"
    assert all(one.origin is not None for one in knative.settings)
    kinds = {one.origin.kind for platform in platforms for one in platform.settings if one.origin}
    assert kinds <= {"documented", "measured", "fitted", "assumed", "chosen"} and len(kinds) > 2
    for platform in platforms:
        scenario = hearth.Scenario("x", base=platform.name)  # type: ignore[arg-type]
        scenario.function("f", ram_limit="128MB", body=[{"sleep": 1}]).invoke("f", at=0)
        assert scenario.validate() == [], platform.name


def test_notebooks_show_tables() -> None:
    assert "<td>hybrid-histogram</td>" in hearth.policies("keep_alive")._repr_html_()
    assert "<td>timeout</td><td>600s</td>" in hearth.policies("keep_alive")["fixed"]._repr_html_()
    assert "<td>knative</td>" in hearth.platforms()._repr_html_()
    assert "<td>[&#x27;node-*&#x27;]</td>" in hearth.platform("knative")._repr_html_()


def test_the_schema_is_that_of_scenarios() -> None:
    schema = hearth.schema()
    assert schema["title"] == "Scenario" and "HostSection" in schema["$defs"]
