"""Which policy serves where, as people say it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union

from hearth import _hearth, policy
from hearth._hearth import ScenarioError
from hearth._plain import plain, text_of
from hearth._scenarios import Setting

Choice = Union[str, "os.PathLike[str]", Mapping[str, Any], type[policy.Policy], policy.Policy]
"""A policy: by its name (with parameters, as in ``"fixed,timeout=20min"``), the path of its library, as in a scenario
(``{"use": "fixed", "parameters": {...}}``), or a class or an instance in Python."""

Policies = Union[str, type[policy.Policy], policy.Policy, Mapping[str, Choice]]
"""Policies by their slots; or one alone: a class or an instance in Python, or text as the command takes it
(``"keep_alive=fixed"``)."""

Given = dict[str, Any]

_KIND_OF_SLOT = {**dict(_hearth.slots())}
_FIRST_SLOT = {kind: next(slot for slot, of in _hearth.slots() if of == kind) for kind in policy.KINDS}


class Chosen:
    """Policies that are chosen: what they set in a scenario, and those in Python among them."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self._names: dict[int, str] = {}

    def settings(self, policies: Policies | None) -> list[Setting]:
        """What policies set in a scenario."""
        if policies is None:
            return []
        if isinstance(policies, str):
            return [(True, policies)]
        if not isinstance(policies, Mapping):
            policies = {self._slot_of(policies): policies}
        return [self._setting(slot, choice) for slot, choice in policies.items()]

    def _slot_of(self, choice: Any) -> str:
        kinds = [kind for kind, classes in policy.KINDS.items() if _is_of(choice, classes)]
        if len(kinds) != 1:
            raise ScenarioError(f"policies: {choice!r} does not say for itself where it serves: {_SLOTS}")
        return _FIRST_SLOT[kinds[0]]

    def _setting(self, slot: str, choice: Choice) -> Setting:
        if slot != "controller" and slot not in _KIND_OF_SLOT:
            raise ScenarioError(f"policies: unknown slot {slot!r}: {_SLOTS}")
        if isinstance(choice, str):
            return (True, f"{slot}={choice}")
        if isinstance(choice, os.PathLike):
            return (True, f'{slot}="{os.fspath(choice)}"')
        if isinstance(choice, Mapping):
            return (False, f"policies.{slot}={text_of(plain(choice, f'policies.{slot}'))}")
        return (False, f"policies.{slot}={text_of({'use': self._name(slot, choice)})}")

    def _name(self, slot: str, choice: Any) -> str:
        kind = _KIND_OF_SLOT.get(slot, "")
        classes = policy.KINDS.get(kind, ())
        of = next((one for one in classes if _is_of(choice, (one,))), None)
        if of is None:
            names = " or ".join(f"hearth.{one.__name__}" for one in classes)
            raise ScenarioError(
                f"policies.{slot}: found {choice!r}, expected the name of a policy or a subclass of {names}"
            )
        name = policy.name_of(choice)
        taken = {one["name"]: one for one in self.given if one["kind"] == of.__name__}
        number = 2
        wanted = name
        while name in taken and taken[name]["prototype"] is not choice:
            name, number = f"{wanted}-{number}", number + 1
        if name not in taken:
            version = policy.version_of(choice)
            self.given.append({"kind": of.__name__, "name": name, "version": version, "prototype": choice})
        return name


def _is_of(choice: Any, classes: tuple[type, ...]) -> bool:
    return issubclass(choice, classes) if isinstance(choice, type) else isinstance(choice, classes)


_SLOTS = f"there are {', '.join(['controller', *_KIND_OF_SLOT])}"


def check_policy(
    candidate: type[policy.Policy] | policy.Policy, *, cases: int = 100, waive: tuple[str, ...] | list[str] = ()
) -> None:
    """Holds a policy in Python to what it owes the simulator, over histories drawn at random.

    Raises `hearth.PolicyError` with the first fault and a history that shows it, made as small as it can be. What a policy
    does not promise is waived by name, as in ``waive=["work_conserving"]``; memory and time of calls are the interpreter's.

    >>> import hearth
    >>> class FirstFree(hearth.NodeAllocation):
    ...     def place(self, request, cluster):
    ...         return cluster.free_core.first()
    >>> hearth.check_policy(FirstFree, cases=20, waive=["respects_capacity", "work_conserving"])
    """
    for classes in policy.KINDS.values():
        for one in classes:
            if _is_of(candidate, (one,)):
                name = policy.name_of(candidate)
                given = {"kind": one.__name__, "name": name, "version": "", "prototype": candidate}
                _hearth.check_policy(given, cases, list(waive))
    if not _is_of(candidate, (policy.Policy,)):
        raise ScenarioError(
            f"check_policy: found {candidate!r}, expected a policy in Python; a library is checked by `hearth policies check`"
        )
