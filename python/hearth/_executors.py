"""Runs of a sweep in the hands of executors: processes of this machine, or workers of a cluster.

What all runs need (the scenario, policies in Python, libraries) is one parcel, named by its SHA-256; a worker opens it once. A run gives
the text of its summary, so that the same comes of it wherever it was done.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hearth import _hearth
from hearth._hearth import HearthError, ScenarioError, SimulationError

Summary = tuple[bool, str]
"""Whether a run is whole, and the text of its summary or why it is not."""

Done = tuple[bool, str, bool]
"""The same, and whether a policy in Python has raised something."""

_TASKS_A_WORKER = 8
"""So many tasks each worker gets, or so, that none waits long for the last one."""

_RETRIES = 3
"""How often a task is begun again whose worker was lost."""


@dataclass
class Parcel:
    """What all runs need."""

    version: str
    """Of Hearth."""
    text: str
    path: str | None
    base: str
    policies: list[dict[str, Any]]
    libraries: dict[str, tuple[str, bytes]]
    """By absolute path: the SHA-256 of the library, and its bytes."""
    files: dict[str, str]
    """By absolute path: the SHA-256 of other files that are read; workers find them where they are here."""
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Where a worker has put libraries."""


@dataclass
class Work:
    """Runs that are to be done."""

    parcel: bytes
    name: str
    """The SHA-256 of the parcel."""
    assignments: Callable[[int], list[str]]

    @staticmethod
    def of(source: _hearth.Source, sweep: _hearth.Sweep, policies: list[dict[str, Any]]) -> Work:
        """The runs of a sweep."""
        libraries, files = {}, {}
        # As workers put paths together, whose folder is another one.
        here = os.getcwd()
        for file, sha256 in sweep.inputs():
            name = os.path.join(here, file)
            if sweep.is_library(file):
                libraries[name] = (sha256, _library(name, sha256))
            else:
                files[name] = sha256
        path = None if source.path is None else str(source.path)
        base = os.path.join(here, source.base)
        parcel = Parcel(_hearth.VERSION, source.text, path, base, policies, libraries, files)
        packed = _packed(parcel)
        return Work(packed, hashlib.sha256(packed).hexdigest(), sweep.assignments)


def _library(path: str, sha256: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ScenarioError(f"{path} has changed since it was opened: begin anew")
    return content


def _packed(parcel: Parcel) -> bytes:
    """A parcel as bytes, with the code of policies that workers may not have."""
    if not parcel.policies:
        return pickle.dumps(parcel)
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        try:
            return pickle.dumps(parcel)
        except Exception as error:
            cure = "define it in a module that workers can import, or pip install cloudpickle"
            raise HearthError(f"a policy cannot be sent to workers: {error}: {cure}") from error
    known = cloudpickle.list_registry_pickle_by_value()
    modules = {module.__name__: module for module in map(_module_of, parcel.policies) if module is not None}
    # What is in `__main__` is sent as it is in any case.
    own = [module for name, module in modules.items() if name not in known and name != "__main__"]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        packed: bytes = cloudpickle.dumps(parcel)
        return packed
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _module_of(policy: dict[str, Any]) -> Any:
    """The module of a policy, if workers may not have it: it is not one that was installed."""
    prototype = policy["prototype"]
    kind = prototype if isinstance(prototype, type) else type(prototype)
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None or kind.__module__.split(".")[0] == "hearth" or "site-packages" in file:
        return None
    return module


_opened: dict[str, Parcel] = {}


def _open(name: str, packed: bytes) -> Parcel:
    """A parcel on the worker that this is, opened once."""
    opened = _opened.get(name)
    if opened is not None:
        return opened
    parcel: Parcel = pickle.loads(packed)
    if parcel.version != _hearth.VERSION:
        raise HearthError(
            f"a worker has Hearth {_hearth.VERSION}, and this is {parcel.version}: install the same one there"
        )
    for path, sha256 in parcel.files.items():
        _check(path, sha256)
    for path, (sha256, content) in parcel.libraries.items():
        parcel.copies.append((path, str(_placed(Path(path).suffix, sha256, content))))
    # The last one alone: others are over. Other threads of this worker may be here, too.
    _opened.clear()
    _opened[name] = parcel
    return parcel


def _check(path: str, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read by a worker: {error}: put it where all workers see it") from error
    if digest.hexdigest() != sha256:
        raise ScenarioError(f"{path} is another file for a worker: put it where all workers see the same one")


def _placed(suffix: str, sha256: str, content: bytes) -> Path:
    """A library in a folder of this worker, by its hash."""
    user = os.getuid()
    folder = Path(tempfile.gettempdir()) / f"hearth-libraries-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    there = folder.lstat()
    if there.st_uid != user or there.st_mode & 0o022:
        raise HearthError(f"{folder} is not for this user alone: remove it, or set TMPDIR to another folder")
    path = folder / f"{sha256}{suffix}"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)
    return path


def do(name: str, packed: bytes, runs: list[list[str]]) -> list[Done]:
    """Does some runs of a parcel, where a worker is."""
    parcel = _open(name, packed)
    return [_do_one(parcel, assignments) for assignments in runs]


def _do_one(parcel: Parcel, assignments: list[str]) -> Done:
    settings = [(False, assignment) for assignment in assignments]
    try:
        source = _hearth.Source(path=parcel.path, text=parcel.text, base=parcel.base, settings=settings)
        return True, _hearth.summarise(source, parcel.policies, parcel.copies), False
    except SimulationError as error:
        # As it is told of runs that are done here.
        return False, str(error), error.__cause__ is not None
    except HearthError as error:
        return False, str(error), False


def run(work: Work, runs: int, executor: Any, show: Callable[[int], None]) -> tuple[list[Summary], bool]:
    """Has an executor do runs, and gives what came of them in their order, and whether a policy in Python has raised something.

    Those whose workers were lost are done here in the end.
    """
    workers = _workers_of(executor)
    size = max(1, runs // (workers * _TASKS_A_WORKER))
    tasks = [list(range(begin, min(begin + size, runs))) for begin in range(0, runs, size)]
    done: dict[int, Done] = {}
    for task, summaries in _submitted(work, tasks, executor):
        done.update(zip(task, summaries))
        show(len(done))
    missing = [position for position in range(runs) if position not in done]
    if missing:
        warnings.warn(f"workers were lost: {len(missing)} of {runs} runs are done here", RuntimeWarning, stacklevel=4)
        for position in missing:
            done[position] = do(work.name, work.parcel, [work.assignments(position)])[0]
            show(len(done))
    in_order = [done[position] for position in range(runs)]
    return [(is_well, text) for is_well, text, _ in in_order], any(is_raised for _, _, is_raised in in_order)


def _workers_of(executor: Any) -> int:
    """How many workers there are, as far as an executor tells."""
    if _is_ray(executor):
        if not executor.is_initialized():
            executor.init()
        return max(int(executor.cluster_resources().get("CPU", 1)), 1)
    if hasattr(executor, "nthreads"):
        return max(sum(int(threads) for threads in executor.nthreads().values()), 1)
    return int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)


def _is_ray(executor: Any) -> bool:
    return getattr(executor, "__name__", "") == "ray" and hasattr(executor, "remote")


def _submitted(work: Work, tasks: list[list[int]], executor: Any) -> Iterable[tuple[list[int], list[Done]]]:
    if _is_ray(executor):
        return _by_ray(work, tasks, executor)
    if hasattr(executor, "scatter") and hasattr(executor, "gather"):
        return _by_dask(work, tasks, executor)
    if isinstance(executor, Executor) or hasattr(executor, "submit"):
        return _by_futures(work, tasks, executor)
    raise ScenarioError(
        f"executor: found {executor!r}, expected one of concurrent.futures, a dask.distributed.Client or the module ray"
    )


def _runs_of(work: Work, task: list[int]) -> list[list[str]]:
    return [work.assignments(position) for position in task]


def _by_futures(work: Work, tasks: list[list[int]], executor: Executor) -> Iterable[tuple[list[int], list[Done]]]:
    futures: dict[Any, list[int]] = {}
    try:
        for task in tasks:
            futures[executor.submit(do, work.name, work.parcel, _runs_of(work, task))] = task
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenExecutor:
        # A process was killed, and the pool with it.
        for future, task in futures.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                yield task, future.result()
    finally:
        for future in futures:
            future.cancel()


def _by_dask(work: Work, tasks: list[list[int]], client: Any) -> Iterable[tuple[list[int], list[Done]]]:
    distributed = importlib.import_module("distributed")
    # Each worker has it, so that it is there as long as one is.
    parcel = client.scatter(work.parcel, broadcast=True, hash=True)
    futures = {}
    for task in tasks:
        future = client.submit(do, work.name, parcel, _runs_of(work, task), pure=False, retries=_RETRIES)
        futures[future] = task
    try:
        for future in distributed.as_completed(futures):
            if future.status == "finished":
                yield futures[future], future.result()
            # Those that are lost with the last worker that had the parcel are cancelled.
            elif future.status == "error" and not isinstance(future.exception(), distributed.KilledWorker):
                future.result()
    finally:
        client.cancel([*futures, parcel])


def _by_ray(work: Work, tasks: list[list[int]], ray: Any) -> Iterable[tuple[list[int], list[Done]]]:
    lost = (ray.exceptions.WorkerCrashedError, ray.exceptions.ObjectLostError, ray.exceptions.NodeDiedError)
    parcel = ray.put(work.parcel)
    remote = ray.remote(do).options(max_retries=_RETRIES)
    waiting = {remote.remote(work.name, parcel, _runs_of(work, task)): task for task in tasks}
    try:
        while waiting:
            ended, _ = ray.wait(list(waiting), num_returns=1)
            for reference in ended:
                task = waiting.pop(reference)
                try:
                    summaries = ray.get(reference)
                except lost:
                    continue
                except ray.exceptions.RayTaskError as error:
                    # What was raised there, without the text of a worker's traceback.
                    raise error.cause from error
                yield task, summaries
    finally:
        for reference in waiting:
            ray.cancel(reference)
