"""Scenarios: built, read, written, checked."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path

import hearth
import pytest
from conftest import PROJECT

SCENARIOS = sorted(file for file in (PROJECT / "examples").glob("*.json") if '"format"' in file.read_text())


def small() -> hearth.Scenario:
    return (
        hearth.Scenario("small", seed=1)
        .host("head", cores=1, speed="10Gf")
        .hosts("node", count=2, cores=4, speed="10Gf", ram="16GB")
        .service(head="head", registry="head", nodes=["node-*"])
        .function("greet", ram_limit="128MB", body=[{"sleep": "250ms"}])
        .invoke("greet", at=0)
    )


def test_the_types_of_sections_are_those_of_the_schema(project: Path) -> None:
    script, file = project / "scripts" / "python-sections", project / "python" / "hearth" / "_sections.py"
    schema = json.dumps(hearth.schema())
    made = subprocess.run([sys.executable, script], input=schema, capture_output=True, text=True, check=True)
    assert made.stdout == file.read_text(), f"hearth schema | {script} > {file}"


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.name)
def test_what_is_read_is_what_stands_there(file: Path, tmp_path: Path) -> None:
    scenario = hearth.Scenario.read(file)
    assert scenario.to_dict() == json.loads(file.read_text())
    assert list(scenario.to_dict()) == list(json.loads(file.read_text()))
    assert scenario.validate() == []
    scenario.save(tmp_path / "saved.json")
    assert hearth.Scenario.read(tmp_path / "saved.json") == scenario
    assert json.loads(scenario.to_json()) == scenario.to_dict()


def test_there_are_examples() -> None:
    assert len(SCENARIOS) >= 5


def test_quickstart_can_be_built() -> None:
    disk = {"read_bandwidth": "500MBps", "write_bandwidth": "400MBps"}
    built = (
        hearth.Scenario("quickstart", seed=42)
        .host("registry", cores=4, speed="10Gf", disk={"capacity": "5TB", **disk})
        .host("head", cores=4, speed="10Gf", ram="16GB", disk={"capacity": "1TB", **disk})
        .hosts("node", count=3, cores=4, speed="20Gf", ram="8GB", disk={"capacity": "100GB", **disk})
        .link("wan", bandwidth="1Gbps", latency="10ms")
        .link("lan", bandwidth="10Gbps", latency="50us")
        .route("registry", "head", links=["wan"])
        .route("registry", "node-*", links=["wan", "lan"])
        .route("head", "node-*", links=["lan"])
        .service(head="head", registry="registry", nodes=["node-*"])
        .service(container_startup_overhead="400ms", invocation_processing_overhead="1ms")
        .policy(node_allocation="fcfs", keep_alive={"use": "fixed", "timeout": "2min"})
    )
    expected = hearth.Scenario.read(PROJECT / "examples" / "quickstart.json").to_dict()
    for part in ("platform", "service", "policies", "seed", "name"):
        assert built.to_dict()[part] == expected[part], part


def test_each_part_stands_in_its_place() -> None:
    scenario = (
        hearth.Scenario()
        .star("rack", bandwidth=1, latency=0)
        .image("img", size=1)
        .file("photo", size=2)
        .application("app", image="img")
        .workflow("album", tasks=[])
        .fault(at=1, host="node-0", for_="5min")
        .drawn_fault(links="lan", time_between_failures={"constant": 1}, time_to_repair={"constant": 1})
        .recovery(hedge={"after": 1})
        .prices()
        .compute(share=0.5)
        .invoke(workflow="album", after=(0, 1))
        .set(horizon="1h")
    )
    assert scenario.to_dict() == {
        "format": "hearth-scenario/1",
        "platform": {"stars": [{"name": "rack", "bandwidth": 1, "latency": 0}]},
        "images": [{"name": "img", "size": 1}],
        "files": [{"name": "photo", "size": 2}],
        "applications": [{"name": "app", "image": "img"}],
        "workflows": [{"name": "album", "tasks": []}],
        "faults": {
            "scripted": [{"at": 1, "host": "node-0", "for": "5min"}],
            "drawn": [{"links": "lan", "time_between_failures": {"constant": 1}, "time_to_repair": {"constant": 1}}],
        },
        "recovery": {"hedge": {"after": 1}},
        "prices": {},
        "workload": {"compute": {"share": 0.5}, "invocations": [{"workflow": "album", "after": [0, 1]}]},
        "horizon": "1h",
    }
    drawn = hearth.Scenario().generate(requests=1, arrivals={"poisson": {"rate": 1}}).to_dict()
    assert drawn["workload"] == {"generate": {"requests": 1, "arrivals": {"poisson": {"rate": 1}}}}
    trace = hearth.Scenario().trace(Path("day.csv"), sort=True).to_dict()
    assert trace["workload"] == {"trace": {"format": "csv", "path": "day.csv", "sort": True}}


def test_policies_are_names_or_have_parameters_beside_use() -> None:
    policies = hearth.Scenario().policy(
        admission={"library": Path("./libmine.so")},
        keep_alive={"use": "fixed", "parameters": {"timeout": 1}},
        autoscaling={"use": "kpa", "parameters": {"stable_window": 1}, "panic_window": 2},
        eviction="lfu",
    )
    assert policies.to_dict()["policies"] == {
        "admission": {"library": "libmine.so"},
        "keep_alive": {"use": "fixed", "parameters": {"timeout": 1}},
        "autoscaling": {"use": "kpa", "parameters": {"stable_window": 1, "panic_window": 2}},
        "eviction": {
            place: {"use": "lfu"} for place in ("containers", "images_in_ram", "images_on_disk", "images_on_head")
        },
    }
    with pytest.raises(hearth.ScenarioError, match="'timeout' is there twice"):
        policies.policy(keep_alive={"use": "fixed", "timeout": 1, "parameters": {"timeout": 2}})
    assert small().policy(eviction="lfu", keep_alive={"use": "fixed", "timeout": "1min"}).validate() == []


MISTAKES = [
    (lambda: small().host("a", coers=1, cores=1, speed=1), "platform.hosts[2].coers: unknown field `coers`"),
    (lambda: small().host("a", coers=1, cores=1, speed=1), 'did you mean "cores"?'),
    (lambda: small().host("a", cores=1), "platform.hosts[2]: missing field `speed`"),
    (lambda: small().set(sed=1), "sed: unknown field `sed`, expected one of `format`, "),
    (lambda: small().function("f", body=[{"sleeep": 1}]), "functions[1].body[0]: unknown variant `sleeep`"),
    (lambda: small().policy(keep_alive="hybrid"), 'policies.keep_alive: unknown keep-alive policy "hybrid": there are'),
    (lambda: small().policy(keep_alive={"use": "fixed", "tiemout": 1}), 'unknown parameter "tiemout"'),
    (lambda: small().policy(eviction={"container": "lru"}), "policies.eviction.container: unknown field"),
    (lambda: small().invoke("gret", at=1), 'workload.invocations[1].function: unknown function "gret"'),
    (lambda: hearth.Scenario(base="knativ").set(workload={}), 'did you mean "knative"?'),
    (lambda: hearth.Scenario("empty"), "the scenario: missing field `platform`"),
]


@pytest.mark.parametrize(("build", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistakes_are_found_with_place_and_cure(build, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(hearth.ScenarioError) as error:
        build().validate()
    assert message in str(error.value)
    assert "line" not in str(error.value), "nobody has seen a text"


def test_what_json_cannot_hold_is_found_at_once() -> None:
    with pytest.raises(hearth.ScenarioError, match=r"platform\.hosts\[0\]\.speed: found nan, expected a finite number"):
        hearth.Scenario().host("a", cores=1, speed=float("nan"))
    with pytest.raises(hearth.ScenarioError, match=r"functions\[1\]\.body\[0\]: found a value of type set"):
        small().function("f", body=[{1}])
    with pytest.raises(hearth.ScenarioError, match=r"`name` is given twice"):
        small().host("a", name="b", cores=1, speed=1)
    with pytest.raises(hearth.ScenarioError, match=r"missing `count`"):
        small().hosts("a", cores=1, speed=1)
    with pytest.raises(hearth.ScenarioError, match=r"workload.invocations: found \{\}, expected a list"):
        hearth.Scenario(workload={"invocations": {}}).invoke("f", at=0)
    with pytest.raises(hearth.ScenarioError, match=r"^policies: found 3, expected an object"):
        hearth.Scenario(policies=3).policy(eviction="lru")


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    scenario = hearth.Scenario().host("a", cores=numpy.int64(4), speed=numpy.float32(0.5))
    scenario.generate(arrivals={"per_minute": {"rates": numpy.array([1.0, 2.0])}}, requests=1)
    host = scenario.to_dict()["platform"]["hosts"][0]
    assert host == {"name": "a", "cores": 4, "speed": 0.5} and type(host["cores"]) is int
    assert scenario.to_dict()["workload"]["generate"]["arrivals"] == {"per_minute": {"rates": [1.0, 2.0]}}


def test_what_is_wrong_in_a_file_is_said_as_the_command_does(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{\n  "format": "hearth-scenario/1",\n  "seeed": 1\n}')
    scenario = hearth.Scenario.read(file)
    with pytest.raises(hearth.ScenarioError) as error:
        scenario.validate()
    assert str(error.value).startswith(f"{file}: seeed: unknown field `seeed`, expected one of ")
    assert str(error.value).endswith("(line 3, column 9)")
    with pytest.raises(hearth.ScenarioError, match=r"^seeed: unknown field [^(]*$"):
        scenario.set(seed=1).validate()
    for text, message in [
        ("{", f"{file}: not valid JSON: EOF while parsing an object at line 1 column 1"),
        ('{"seed": 1, "seed": 2}', f"{file}: the scenario: duplicate field `seed` (line 1, column 18)"),
        ("3", f"{file}: the scenario: invalid type: integer `3`, expected a scenario: an object"),
    ]:
        file.write_text(text)
        with pytest.raises(hearth.ScenarioError) as error:
            hearth.Scenario.read(file)
        assert str(error.value).startswith(message), error.value
    with pytest.raises(hearth.ScenarioError, match="is a directory: name the file in it"):
        hearth.Scenario.read(tmp_path)


def test_the_command_says_the_same(command: list[str], tmp_path: Path) -> None:
    scenario = small().invoke("gret", at=1)
    scenario.save(tmp_path / "wrong.json")
    said = subprocess.run([*command, "validate", tmp_path / "wrong.json"], check=False, capture_output=True, text=True)
    with pytest.raises(hearth.ScenarioError) as error:
        hearth.Scenario.read(tmp_path / "wrong.json").validate()
    assert said.stderr.strip().endswith(str(error.value))


def test_warnings_are_given(tmp_path: Path) -> None:
    (tmp_path / "late.csv").write_text("arrival_s,function,duration_s\n100000,greet,1\n")
    scenario = small()
    scenario.set(workload={}).trace(tmp_path / "late.csv")
    warnings = scenario.validate()
    assert any("the first request of" in warning and "1.2 days after the start" in warning for warning in warnings)


def test_relative_paths_hold_in_another_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "day.csv").write_text("arrival_s,function\n1,greet\n")
    scenario = small().set(workload={}).trace("day.csv").policy(controller={"library": "mine.so"})
    scenario.save(one / "s.json")
    del scenario
    read = hearth.Scenario.read(one / "s.json")
    assert read.folder == one
    assert Path(read.to_dict()["workload"]["trace"]["path"]).is_absolute(), "it was made in another folder"
    relative = read.to_dict()
    relative["workload"]["trace"]["path"] = "day.csv"
    del relative["policies"]
    (one / "s.json").write_text(json.dumps(relative))
    read = hearth.Scenario.read(one / "s.json")
    assert read.validate() == []
    read.save(one / "beside.json")
    assert hearth.Scenario.read(one / "beside.json").to_dict()["workload"]["trace"]["path"] == "day.csv"
    read.save(other / "s.json")
    moved = hearth.Scenario.read(other / "s.json")
    assert moved.to_dict()["workload"]["trace"]["path"] == str(one / "day.csv")
    assert list(moved.to_dict()) == ["format", "name", "seed", "platform", "service", "functions", "workload"]
    assert moved.validate() == []


def test_a_copy_goes_its_own_way() -> None:
    scenario = small()
    other = scenario.copy()
    assert other == scenario and other is not scenario and scenario != 1
    other.function("other", ram_limit=1)
    assert other != scenario and len(scenario.to_dict()["functions"]) == 1
    given = scenario.to_dict()
    given["functions"].clear()
    assert len(scenario.to_dict()["functions"]) == 1
    body = [{"sleep": 1}]
    scenario.function("late", body=body)
    body.clear()
    assert scenario.to_dict()["functions"][1]["body"] == [{"sleep": 1}]
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    with pytest.raises(TypeError):
        hash(scenario)


def test_it_shows_what_is_in_it() -> None:
    assert repr(hearth.Scenario()) == "<hearth.Scenario '': nothing yet>"
    assert repr(hearth.Scenario("x", base="lambda").trace("t.csv")) == "<hearth.Scenario 'x': over lambda, a trace>"
    assert repr(small()) == "<hearth.Scenario 'small': 3 hosts, 1 function, 1 invocation>"


def test_signatures_show_keys() -> None:
    parameters = inspect.signature(hearth.Scenario.fault).parameters
    assert parameters["at"].default is inspect.Parameter.empty and parameters["at"].annotation == "Seconds"
    assert "for_" in parameters and repr(parameters["for_"].default) == "..."
    assert next(iter(inspect.signature(small().host).parameters)) == "name"


def test_type_checkers_find_wrong_keys(project: Path) -> None:
    pytest.importorskip("mypy")
    file = Path(__file__).parent / "typed" / "builder.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", str(file)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True, cwd=project / "python")
    assert checked.returncode == 0, checked.stdout + checked.stderr
