"""Scenarios: what is simulated, built from Python or read from a file."""

from __future__ import annotations

import copy
import inspect
import json
import keyword
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hearth import _hearth, _sections
from hearth._hearth import ScenarioError
from hearth._plain import plain, text_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

FORMAT = "hearth-scenario/1"

_Method = TypeVar("_Method", bound=Callable[..., Any])


class _LeftOut:
    """What an argument is that is not given, in signatures."""

    def __repr__(self) -> str:
        return "..."


def _takes(section: Any) -> Callable[[_Method], _Method]:
    """Shows the keys of a section in the signature of a method, for those who complete names while a program runs."""

    def shown(method: _Method) -> _Method:
        signature = inspect.signature(method)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        keys = []
        for key, type_ in section.__annotations__.items():
            text = getattr(type_, "__forward_arg__", str(type_))
            inner = text.removeprefix("Required[").removesuffix("]") if text.startswith("Required[") else text
            default = inspect.Parameter.empty if inner != text else _LeftOut()
            keys.append(inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=inner, default=default))
        cast(Any, method).__signature__ = signature.replace(parameters=own + keys)
        return method

    return shown


class Scenario:
    """A scenario: a platform, a service, functions, a workload and policies.

    Each method adds to it and gives it back, so that calls follow one another; what is added stays, whether the result is used or
    not. `copy()` makes one to go on from. Keys are those of docs/scenario.md, with `_` behind those that are words of Python
    (`for_`). Nothing is checked before `validate()`, or before it is run: then whatever is unknown, missing or wrong is a
    `ScenarioError` that says where, and what to do about it.

    >>> import hearth
    >>> scenario = (
    ...     hearth.Scenario("photos", seed=1)
    ...     .host("head", cores=1, speed="10Gf")
    ...     .hosts("node", count=4, cores=4, speed="10Gf", ram="16GB")
    ...     .service(head="head", registry="head", nodes=["node-*"])
    ...     .function("resize", ram_limit="512MB", body=[{"sleep": "250ms"}])
    ...     .policy(keep_alive={"use": "fixed", "timeout": "20min"})
    ...     .invoke("resize", at=0)
    ... )
    >>> scenario.validate()
    []
    >>> scenario
    <hearth.Scenario 'photos': 5 hosts, 1 function, 1 invocation>

    Over a platform by name only functions and a workload are left to say:

    >>> over = hearth.Scenario("greetings", base="knative").function("greet", ram_limit="128MB").invoke("greet", at=0)
    >>> over.validate()
    []
    """

    @_takes(_sections.ScenarioArguments)
    def __init__(self, name: str = "", /, **settings: Unpack[_sections.ScenarioArguments]) -> None:
        self._value: dict[str, Any] = {"format": FORMAT}
        if name:
            self._value["name"] = plain(name, "name")
        # The folder that relative paths start from; empty is the current one.
        self._folder = Path()
        # The file that it was read from, with its text, and what that said.
        self._read: tuple[str, str, dict[str, Any]] | None = None
        self.set(**settings)

    # Reading and writing.

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Scenario:
        """Reads a scenario from a file. Relative paths in it start from its folder.

        >>> Scenario.read("missing.json")
        Traceback (most recent call last):
        hearth.ScenarioError: missing.json: cannot be read: No such file or directory (os error 2)
        """
        file = os.fspath(path)
        text = _hearth.read_scenario(file)
        value = _object_in(text)
        if value is None:
            _hearth.validate(text, file, True, [])  # says why, in the words of the command
            raise ScenarioError(f"{file}: the scenario: expected an object of JSON")
        scenario = cls.from_dict(value)
        scenario._folder = Path(file).parent
        scenario._read = (file, text, copy.deepcopy(scenario._value))
        return scenario

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Scenario:
        """A scenario of what stands in a file as JSON. Relative paths in it start from the current folder."""
        if not isinstance(value, Mapping):
            raise ScenarioError(f"the scenario: found a value of type {type(value).__name__}, expected an object")
        scenario = cls()
        scenario._value = plain(value, "the scenario")
        return scenario

    def to_dict(self) -> dict[str, Any]:
        """A copy of all that has been said, as it stands in a file.

        >>> Scenario("empty").to_dict()
        {'format': 'hearth-scenario/1', 'name': 'empty'}
        """
        return copy.deepcopy(self._value)

    def to_json(self) -> str:
        """The text of a file."""
        return text_of(self._value, indent=2)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it into a file, over what is there. In another folder than its own, its relative paths become absolute."""
        value = self._value
        if Path(path).parent.resolve() != self._folder.resolve():
            value = _updated(value, json.loads(_hearth.with_absolute_paths(text_of(value), self._folder)))
        Path(path).write_text(text_of(value, indent=2) + "\n", encoding="utf-8")

    def copy(self) -> Scenario:
        """Another scenario that says the same."""
        other = Scenario.from_dict(self._value)
        other._folder, other._read = self._folder, self._read
        return other

    def validate(self, *, plugin_dirs: list[str | os.PathLike[str]] | None = None) -> list[str]:
        """Checks all that can be wrong before it runs, as `hearth validate` does; gives the warnings.

        Raises `ScenarioError`, with the place and the cure.

        >>> Scenario.from_dict({"format": "hearth-scenario/1", "worklaod": {}}).validate()
        Traceback (most recent call last):
        hearth.ScenarioError: worklaod: unknown field `worklaod`, expected one of `format`, `base`, ...
        """
        text, file, is_there = self.origin()
        return _hearth.validate(text, file, is_there, [os.fspath(folder) for folder in plugin_dirs or []])

    def origin(self) -> tuple[str, str, bool]:
        """The text, the file that it stands in, and whether there is such a file."""
        if self._read is not None and self._read[2] == self._value:
            return self._read[1], self._read[0], True
        return text_of(self._value), str(self._folder / "scenario"), False

    # The parts.

    @_takes(_sections.ScenarioArguments)
    def set(self, **settings: Unpack[_sections.ScenarioArguments]) -> Scenario:
        """Sets whole parts, such as `seed`, `horizon` or `network_model`, instead of what is there.

        >>> Scenario("long").set(horizon="1d").to_dict()["horizon"]
        '1d'
        """
        for key, value in settings.items():
            self._value[key] = plain(value, key)
        return self

    @_takes(_sections.HostArguments)
    def host(self, name: str, /, **host: Unpack[_sections.HostArguments]) -> Scenario:
        """Adds a host."""
        return self._add("platform.hosts", {"name": name}, host)

    @_takes(_sections.HostArguments)
    def hosts(self, name: str, /, **hosts: Unpack[_sections.HostArguments]) -> Scenario:
        """Adds a group of hosts alike: with `count=4`, these are `NAME-0` to `NAME-3`."""
        if hosts.get("count") is None:
            raise ScenarioError(f"hosts {name!r}: missing `count`: say how many there are, or add one with `host`")
        return self.host(name, **hosts)

    @_takes(_sections.LinkArguments)
    def link(self, name: str, /, **link: Unpack[_sections.LinkArguments]) -> Scenario:
        """Adds a link."""
        return self._add("platform.links", {"name": name}, link)

    @_takes(_sections.RouteArguments)
    def route(self, from_: str, to: str, /, **route: Unpack[_sections.RouteArguments]) -> Scenario:
        """Adds a route: which links lie between two ends, in both directions."""
        return self._add("platform.routes", {"from": from_, "to": to}, route)

    @_takes(_sections.StarArguments)
    def star(self, name: str, /, **star: Unpack[_sections.StarArguments]) -> Scenario:
        """Adds a star: hosts with `star=NAME` have a link of their own to its centre."""
        return self._add("platform.stars", {"name": name}, star)

    @_takes(_sections.Service)
    def service(self, **service: Unpack[_sections.Service]) -> Scenario:
        """Says what the service is like; what has been said before of other keys stays."""
        return self._update("service", service)

    @_takes(_sections.ImageArguments)
    def image(self, name: str, /, **image: Unpack[_sections.ImageArguments]) -> Scenario:
        """Adds a container image."""
        return self._add("images", {"name": name}, image)

    @_takes(_sections.FileArguments)
    def file(self, name: str, /, **file: Unpack[_sections.FileArguments]) -> Scenario:
        """Adds a file in the registry."""
        return self._add("files", {"name": name}, file)

    @_takes(_sections.ApplicationArguments)
    def application(self, name: str, /, **application: Unpack[_sections.ApplicationArguments]) -> Scenario:
        """Adds an application, whose functions are served by the same instances."""
        return self._add("applications", {"name": name}, application)

    @_takes(_sections.FunctionArguments)
    def function(self, name: str, /, **function: Unpack[_sections.FunctionArguments]) -> Scenario:
        """Adds a function."""
        return self._add("functions", {"name": name}, function)

    @_takes(_sections.WorkflowArguments)
    def workflow(self, name: str, /, **workflow: Unpack[_sections.WorkflowArguments]) -> Scenario:
        """Adds a workflow."""
        return self._add("workflows", {"name": name}, workflow)

    @_takes(_sections.PoliciesArguments)
    def policy(self, **policies: Unpack[_sections.PoliciesArguments]) -> Scenario:
        """Chooses policies: by name, or with parameters beside `use` and `library`; all of `eviction` by one of either.

        >>> Scenario().policy(keep_alive={"use": "fixed", "timeout": "20min"}).to_dict()["policies"]
        {'keep_alive': {'use': 'fixed', 'parameters': {'timeout': '20min'}}}
        >>> Scenario().policy(node_allocation="first-fit", eviction={"containers": "lfu"}).to_dict()["policies"]
        {'node_allocation': {'use': 'first-fit'}, 'eviction': {'containers': {'use': 'lfu'}}}
        """
        for slot, choice in policies.items():
            if slot == "eviction":
                self._part("policies.eviction").update(_evictions(choice))
            else:
                self._part("policies")[slot] = _policy(choice, f"policies.{slot}")
        return self

    # The workload.

    @_takes(_sections.InvocationArguments)
    def invoke(self, function: str | None = None, /, **invocation: Unpack[_sections.InvocationArguments]) -> Scenario:
        """Adds an invocation of a function, or with `workflow=NAME` a run of a workflow."""
        return self._add("workload.invocations", {} if function is None else {"function": function}, invocation)

    @_takes(_sections.TraceArguments)
    def trace(
        self,
        path: str | os.PathLike[str],
        /,
        format: _sections.TraceFormat = "csv",
        **trace: Unpack[_sections.TraceArguments],
    ) -> Scenario:
        """Takes the invocations from a trace."""
        return self._update("workload.trace", {"format": format, "path": path, **trace})

    @_takes(_sections.Generator)
    def generate(self, **generator: Unpack[_sections.Generator]) -> Scenario:
        """Draws the invocations at random."""
        return self._update("workload.generate", generator)

    @_takes(_sections.Compute)
    def compute(self, **compute: Unpack[_sections.Compute]) -> Scenario:
        """Run times of a trace, or of what is drawn, are work of processors."""
        return self._update("workload.compute", compute)

    # What goes wrong, and what it costs.

    @_takes(_sections.ScriptedFaultArguments)
    def fault(self, **fault: Unpack[_sections.ScriptedFaultArguments]) -> Scenario:
        """Adds a fault at a date."""
        return self._add("faults.scripted", {}, fault)

    @_takes(_sections.DrawnFault)
    def drawn_fault(self, **fault: Unpack[_sections.DrawnFault]) -> Scenario:
        """Adds faults at random."""
        return self._add("faults.drawn", {}, fault)

    @_takes(_sections.Recovery)
    def recovery(self, **recovery: Unpack[_sections.Recovery]) -> Scenario:
        """Says what is done about faults."""
        return self._update("recovery", recovery)

    @_takes(_sections.Prices)
    def prices(self, **prices: Unpack[_sections.Prices]) -> Scenario:
        """Says what a provider asks for; without arguments what AWS Lambda does."""
        return self._update("prices", prices)

    # What all of these do.

    def _part(self, place: str) -> dict[str, Any]:
        """The object at a place, which is made if need be."""
        part = self._value
        keys = place.split(".")
        for depth, key in enumerate(keys, 1):
            part = part.setdefault(key, {})
            if not isinstance(part, dict):
                raise ScenarioError(f"{'.'.join(keys[:depth])}: found {text_of(part)}, expected an object")
        return part

    def _update(self, place: str, section: Mapping[str, Any]) -> Scenario:
        part = self._part(place)
        for key, value in section.items():
            part[_key(key)] = plain(value, f"{place}.{_key(key)}")
        return self

    def _add(self, place: str, begin: dict[str, Any], section: Mapping[str, Any]) -> Scenario:
        outer, _, last = place.rpartition(".")
        all_ = (self._part(outer) if outer else self._value).setdefault(last, [])
        if not isinstance(all_, list):
            raise ScenarioError(f"{place}: found {text_of(all_)}, expected a list")
        place = f"{place}[{len(all_)}]"
        for key in map(_key, section):
            if key in begin:
                raise ScenarioError(f"{place}: `{key}` is given twice, by position and by name: keep one")
        all_.append(plain(begin | {_key(key): value for key, value in section.items()}, place))
        return self

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._value.get("name", ""))

    @property
    def folder(self) -> Path:
        """The folder that relative paths in it start from."""
        return self._folder

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Scenario) else NotImplemented

    # It changes.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = [
            (_hosts(self._value.get("platform")), "host"),
            (_length(self._value.get("functions")), "function"),
            (_length(self._value.get("workflows")), "workflow"),
        ]
        workload = self._value.get("workload")
        workload = workload if isinstance(workload, dict) else {}
        counts.append((_length(workload.get("invocations")), "invocation"))
        parts = [f"{count} {what}{'s' * (count != 1)}" for count, what in counts if count]
        parts += [f"a {what}" for key, what in (("trace", "trace"), ("generate", "generator")) if key in workload]
        base = self._value.get("base")
        over = [f"over {base}"] if isinstance(base, str) else []
        return f"<hearth.Scenario {self.name!r}: {', '.join(over + parts) or 'nothing yet'}>"


def _key(key: str) -> str:
    """The key that an argument stands for."""
    return key[:-1] if key.endswith("_") and keyword.iskeyword(key[:-1]) else key


def _policy(choice: Any, place: str) -> Any:
    """The section of a policy that is given by its name, or with parameters beside `use` and `library`."""
    if isinstance(choice, str):
        return {"use": choice}
    section = plain(choice, place)
    if not isinstance(section, dict):
        return section
    own = {key: value for key, value in section.items() if key in _sections.Policy.__annotations__}
    beside = {key: value for key, value in section.items() if key not in own}
    if not beside:
        return own
    parameters = own.get("parameters", {})
    if not isinstance(parameters, dict):
        raise ScenarioError(f"{place}.parameters: found {text_of(parameters)}, expected an object")
    for key in beside.keys() & parameters.keys():
        raise ScenarioError(
            f"{place}: the parameter {key!r} is there twice, inside `parameters` and beside it: keep one"
        )
    return {**own, "parameters": {**parameters, **beside}}


def _evictions(choice: Any) -> dict[str, Any]:
    """The policies of eviction: one for all places, or one for each."""
    places = _sections.Eviction.__annotations__
    if isinstance(choice, str) or (isinstance(choice, Mapping) and {"use", "library"} & choice.keys()):
        choice = dict.fromkeys(places, choice)
    if not isinstance(choice, Mapping):
        raise ScenarioError(
            f"policies.eviction: found {choice!r}, expected a policy, or one for each of {', '.join(places)}"
        )
    return {place: _policy(one, f"policies.eviction.{place}") for place, one in choice.items()}


def _updated(value: Any, other: Any) -> Any:
    """Another value with the same keys, in the order of this one."""
    if isinstance(value, dict):
        return {key: _updated(inner, other[key]) for key, inner in value.items()}
    if isinstance(value, list):
        return [_updated(inner, one) for inner, one in zip(value, other, strict=True)]
    return other


def _object_in(text: str) -> dict[str, Any] | None:
    """The object in a text of JSON, if there is one, and no key is twice in it or in what it holds."""

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            raise ValueError("a key is there twice")
        return value

    try:
        value = json.loads(text, object_pairs_hook=distinct)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _hosts(platform: Any) -> int:
    hosts = platform.get("hosts") if isinstance(platform, dict) else None
    counts = [host.get("count") or 1 for host in hosts or [] if isinstance(host, dict)]
    return sum(count for count in counts if isinstance(count, int))
