"""Sweeps in the hands of executors: the same bytes as here, whoever does the runs and whatever becomes of them."""

from __future__ import annotations

import gzip
import importlib.util
import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hearth
import pytest
from support import QUICKSTART, library

needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo to build a policy with")


class Longest(hearth.KeepAlive):
    """Is here alone, where no worker can import it from."""

    def __init__(self, least: float = 30.0) -> None:
        self.least = least

    def on_idle(self, completion: Any) -> float:
        return max(self.least, helper(completion.run_time))


def helper(seconds: float) -> float:
    return 20 * seconds


class Marks(hearth.KeepAlive):
    """Has its worker killed in the run that comes first to it."""

    def __init__(self, folder: str, owner: int) -> None:
        self.folder, self.owner = folder, owner

    def on_idle(self, completion: Any) -> float:
        if os.getpid() != self.owner:
            try:
                os.close(os.open(os.path.join(self.folder, "killed"), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return 60.0


class Raises(hearth.KeepAlive):
    def on_idle(self, completion: Any) -> float:
        raise ZeroDivisionError("not today")


def elsewhere(folder: str) -> None:
    """Workers are in another folder."""
    os.chdir(folder)


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@contextmanager
def processes(method: str, folder: Path) -> Iterator[Executor]:
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context, initializer=elsewhere, initargs=(str(folder),)) as pool:
        yield pool


@contextmanager
def threads(_: Path) -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def dask(folder: Path) -> Iterator[Any]:
    needs("distributed")
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set({"distributed.worker.daemon": True}):
        with LocalCluster(  # type: ignore[no-untyped-call, unused-ignore]
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            local_directory=str(folder), silence_logs=logging.CRITICAL,
        ) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call, unused-ignore]  # fmt: skip
            client.run(elsewhere, str(folder))
            yield client


@contextmanager
def ray(_: Path) -> Iterator[Any]:
    needs("ray")
    import ray

    if ray.is_initialized():
        # That of the other tests.
        yield ray
        return
    options: dict[str, Any] = {
        "include_dashboard": False,
        "configure_logging": True,
        "logging_level": "ERROR",
        "log_to_driver": False,
    }
    ray.init(num_cpus=2, object_store_memory=100 << 20, **options)
    try:
        yield ray
    finally:
        ray.shutdown()


EXECUTORS: dict[str, Callable[[Path], Any]] = {
    "fork": lambda folder: processes("fork", folder),
    "spawn": lambda folder: processes("spawn", folder),
    "threads": threads,
    "dask": dask,
    "ray": ray,
}


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    name = request.param
    with EXECUTORS[name](tmp_path_factory.mktemp(name)) as one:
        yield one


def policies() -> dict[str, Any]:
    return {
        "fixed": "keep_alive=fixed",
        "class": Longest,
        "instance": Longest(5.0),
        "placed": {"node_allocation": "least-loaded"},
    }


def test_policies_of_a_test_are_sent_by_value(executor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("cloudpickle")
    here = hearth.compare(QUICKSTART, policies(), seeds=range(3))
    there = hearth.compare(QUICKSTART, policies(), seeds=range(3), executor=executor)
    assert there.to_json() == here.to_json()
    assert there.runs.to_dict() == here.runs.to_dict() and str(there) == str(here)
    # As those say it who are in the folder.
    monkeypatch.chdir(QUICKSTART.parent)
    assert hearth.compare(QUICKSTART.name, policies(), seeds=range(3), executor=executor).to_json() == here.to_json()


def test_values_and_platforms_vary(executor: Any) -> None:
    scenario = hearth.Scenario("over", base="openwhisk", seed=3)
    scenario.function("f", ram_limit="128MB", body=[{"sleep": "1s"}])
    for at in range(20):
        scenario.invoke("f", at=at / 10)
    vary: dict[str, Any] = {
        "service.container_startup_overhead": ["1s", "2s"],
        "functions[f].ram_limit": {"small": "128MB", "large": "256MB"},
    }
    here = hearth.sweep(scenario, vary=vary, seeds=[1, 2])
    assert len(here.runs) == 8
    assert hearth.sweep(scenario, vary=vary, seeds=[1, 2], executor=executor).to_json() == here.to_json()


@needs_cargo
def test_libraries_are_sent_as_they_are(
    executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    sieve = tmp_path / "folder" / library("hearth-eviction-sieve").name
    sieve.parent.mkdir()
    shutil.copy(library("hearth-eviction-sieve"), sieve)
    relative = f"folder/../folder/{sieve.name}"
    compared: dict[str, Any] = {"built in": "eviction.containers=sieve", "compiled": f"eviction.containers={relative}"}
    here = hearth.compare(QUICKSTART, compared, seeds=range(2))
    if not isinstance(executor, ThreadPoolExecutor):
        # What workers would find at the path is not what they are to use.
        from hearth import _executors

        packed = _executors._packed

        def without_the_file(parcel: Any) -> bytes:
            sieve.write_bytes(b"nothing")
            return packed(parcel)

        monkeypatch.setattr(_executors, "_packed", without_the_file)
    there = hearth.compare(QUICKSTART, compared, seeds=range(2), executor=executor)
    assert there.to_json() == here.to_json()
    assert sieve.read_bytes() == b"nothing" or isinstance(executor, ThreadPoolExecutor)


def traced(folder: Path) -> Path:
    rows = "".join(f"{at / 4},f,{1 + at % 3}\n" for at in range(400))
    (folder / "requests.csv.gz").write_bytes(gzip.compress(f"arrival_s,function,duration_s\n{rows}".encode()))
    scenario = json.loads(QUICKSTART.read_text())
    scenario["workload"] = {"trace": {"path": "requests.csv.gz", "format": "csv"}}
    scenario["functions"] = [{"name": "f", "ram_limit": "128MB", "disk_limit": "1GB", "image": "python"}]
    file = folder / "traced.json"
    file.write_text(json.dumps(scenario))
    return file


def test_traces_are_read_where_they_are(executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = traced(tmp_path)
    compared = ["keep_alive=fixed", "keep_alive=no-keep-alive"]
    here = hearth.compare(file, compared, seeds=[1, 2])
    assert hearth.compare(file, compared, seeds=[1, 2], executor=executor).to_json() == here.to_json()
    # Workers are in another folder.
    monkeypatch.chdir(tmp_path)
    assert hearth.compare("traced.json", compared, seeds=[1, 2], executor=executor).to_json() == here.to_json()


def test_a_trace_that_is_another_there_is_named(executor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hearth import _executors

    file, packed = traced(tmp_path), _executors._packed
    trace = tmp_path / "requests.csv.gz"

    def changed(parcel: Any) -> bytes:
        trace.write_bytes(gzip.compress(b"arrival_s,function,duration_s\n0,f,1\n"))
        return packed(parcel)

    def removed(parcel: Any) -> bytes:
        trace.unlink()
        return packed(parcel)

    compared = ["keep_alive=fixed", "keep_alive=no-keep-alive"]
    for change, text in ((changed, "is another file for a worker"), (removed, "cannot be read by a worker")):
        monkeypatch.setattr(_executors, "_packed", change)
        with pytest.raises(hearth.ScenarioError, match="requests.csv.gz " + text) as error:
            hearth.compare(file, compared, seeds=[1, 2], executor=executor)
        assert str(error.value).startswith(str(trace))


def test_failures_are_those_of_here(executor: Any) -> None:
    needs("cloudpickle")
    compared: dict[str, Any] = {"fixed": "keep_alive=fixed", "raises": Raises}
    told, jsons = [], []

    def as_here(text: str) -> str:
        # Code that was sent does not say which file it is from.
        return text.replace("<dynamic-code>", Path(__file__).name)

    for one in (None, executor):
        with pytest.raises(hearth.PolicyError, match="not today") as error:
            hearth.compare(QUICKSTART, compared, seeds=[1, 2], executor=one)
        told.append(as_here(str(error.value)))
        jsons.append(as_here(error.value.comparison.to_json()))
    assert told[0] == told[1] and told[0].startswith("2 of 4 runs failed, the first with policy=raises seed=1: ")
    assert jsons[0] == jsons[1]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("name", [name for name in EXECUTORS if name != "threads"])
def test_a_worker_may_be_killed(name: str, tmp_path: Path) -> None:
    needs("cloudpickle")
    compared: dict[str, Any] = {
        "fixed": "keep_alive=fixed,timeout=60s",
        "marks": {"keep_alive": Marks(str(tmp_path), os.getpid())},
    }
    here = hearth.compare(QUICKSTART, compared, seeds=range(6))
    with EXECUTORS[name](tmp_path) as executor, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        there = hearth.compare(QUICKSTART, compared, seeds=range(6), executor=executor)
    assert (tmp_path / "killed").exists()
    assert there.to_json() == here.to_json()
    lost = [warning for warning in warned if "workers were lost" in str(warning.message)]
    # A pool does not outlive its process; the others begin again, unless they take a slow worker for another lost one.
    assert len(lost) == 1 if name in ("fork", "spawn") else len(lost) <= 1
    assert all(warning.filename == __file__ for warning in lost)


def test_what_is_no_executor_is_said() -> None:
    with pytest.raises(hearth.ScenarioError, match="executor: found 3, expected one of concurrent.futures"):
        hearth.compare(QUICKSTART, ["keep_alive=fixed", "keep_alive=no-keep-alive"], executor=3)


def test_progress_counts_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise nothing is said of what takes less than half a second.
    monkeypatch.setattr("hearth._progress._BEGIN", 0.0)
    monkeypatch.setattr("hearth._progress._PAUSE", 0.0)
    with ThreadPoolExecutor(1) as pool:
        hearth.compare(
            QUICKSTART, ["keep_alive=fixed", "keep_alive=no-keep-alive"], seeds=range(200), executor=pool, progress=True
        )
    assert " of 400 runs" in capsys.readouterr().err


def test_values_are_told_apart() -> None:
    numpy = pytest.importorskip("numpy")
    swept = hearth.sweep(QUICKSTART, vary={"functions[resize].time_limit": numpy.array([5, 10])})
    assert len(swept.runs) == 2
    with pytest.raises(hearth.ScenarioError, match="'5' is there twice: give values labels"):
        hearth.sweep(QUICKSTART, vary={"functions[resize].time_limit": [5, "5"]})
