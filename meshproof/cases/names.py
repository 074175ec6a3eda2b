"""Names in expectations: workloads, versions and hosts, as the mesh under test has them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from meshproof import workload_names
from meshproof.cases.case import Case, RouteExpectation
from meshproof.cases.facts import Responder
from meshproof.cases.istio_config_validator import ANY_CLIENT
from meshproof.cases.model import NONE, Expect, Mirror
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.errors import Problem, UsageError

GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Target:
    """Who a name stands for: workloads (any of several of one ``app`` label), or a host outside;
    or, of a share, the mesh's own answer with that status."""

    responders: frozenset[tuple[str, str]] = frozenset()
    version: str | None = None
    status: int | None = None

    def covers(self, responder: Responder | None, status: int | None) -> bool:
        if responder is None:
            return self.status is not None and self.status == status
        is_one = (responder.namespace, responder.name) in self.responders
        return is_one and self.version in (None, responder.version)


def workload_target(mesh: PlannedMesh, name: str, version: str | None = None) -> Target:
    """Raises UsageError for unknown names and versions."""
    matches = _resolve(mesh, name)
    if version is not None:
        versions = {v for n, w, _, v in mesh.versions if (n, w) in matches and v}
        if version not in versions:
            there = ", ".join(sorted(versions)) or "none: no label version"
            raise UsageError(f"no replica of {name} has version {version}; there is {there}")
    return Target(matches, version)


def outside_target(mesh: PlannedMesh, name: str) -> Target:
    """Raises UsageError for a host that is not outside."""
    if name.lower() not in mesh.outside:
        there = ", ".join(sorted(mesh.outside)) or "none"
        raise UsageError(f"no host outside is called {name}; there is {there}")
    hosts = [{host, *out.aliases} for host, out in mesh.project.outside.items()]
    names = next(aliases for aliases in hosts if name.lower() in aliases)
    return Target(frozenset(("", n) for n in names))


def outside_names(mesh: PlannedMesh, host: str) -> set[str]:
    """The host and its other names, whether it is declared or not."""
    for name, out in mesh.project.outside.items():
        if host.lower() in (name, *out.aliases):
            return {name, *out.aliases}
    return {host.lower()}


def anybody(mesh: PlannedMesh, name: str) -> Target:
    """A workload, ``WORKLOAD VERSION``, or a host outside."""
    workload, _, version = name.partition(" ")
    if not version and name.lower() in mesh.outside:
        return outside_target(mesh, name)
    return workload_target(mesh, workload, version or None)


def share_target(mesh: PlannedMesh, key: str, workload: str | None) -> Target:
    """What a key of ``split`` stands for."""
    if key.isdecimal() and len(key) == 3:
        return Target(status=int(key))
    if workload is not None and " " not in key:
        return workload_target(mesh, workload, key)
    return anybody(mesh, key)


def _resolve(mesh: PlannedMesh, name: str) -> frozenset[tuple[str, str]]:
    """By name, else every workload with that ``app`` label in one namespace."""
    namespace, _, short = name.rpartition("/")
    candidates = [w for w in mesh.workloads if not namespace or w[0] == namespace]
    by_label = {(n, w) for n, w, app in candidates if app == short}
    if not any(w == short for _, w, _ in candidates) and by_label:
        if len({n for n, _ in by_label}) > 1:
            titles = ", ".join(sorted(f"{n}/{w}" for n, w in by_label))
            raise UsageError(f"workload {name} is ambiguous; wanted one of {titles}")
        return frozenset(by_label)
    return frozenset({workload_names.resolve(name, mesh.workloads)})


def mirrors_of(expect: Expect) -> list[Mirror]:
    """The expected copies, in one form."""
    value = expect.mirror
    if value is None or value == NONE:
        return []
    if isinstance(value, str):
        workload, _, version = value.partition(" ")
        return [Mirror.model_validate({"workload": workload, "version": version or None})]
    return value if isinstance(value, list) else [value]


def not_reached_of(expect: Expect) -> list[str]:
    value = expect.not_reached
    return [] if value is None else [value] if isinstance(value, str) else value


def find_unknown_names(case: Case, mesh: PlannedMesh) -> Iterator[Problem]:
    """One problem for each name of a case that nothing in the mesh has."""
    sender = case.request.sender
    if sender != ANY_CLIENT and sender not in mesh.gateways:
        try:
            # A sender is one workload: explain refuses what is ambiguous.
            workload_names.resolve(sender, mesh.workloads)
        except UsageError as error:
            others = sorted(g for g in mesh.gateways if g == GATEWAY or "/" in g)
            error = UsageError(f"{error}; gateways: {', '.join(others)}")
            yield _problem(case, ("request", "from"), error)
    if isinstance(case.expect, RouteExpectation):
        return
    reported: set[str] = set()
    for path, look_up in _lookups(case.expect, mesh):
        try:
            look_up()
        except UsageError as error:
            if str(error) not in reported:
                reported.add(str(error))
                yield _problem(case, ("expect", *path), error)


def _lookups(
    expect: Expect, mesh: PlannedMesh
) -> Iterator[tuple[tuple[str, ...], Callable[[], Target]]]:
    """Every name of an expectation: its field, and how it is looked up."""
    if expect.workload:
        yield ("workload",), partial(workload_target, mesh, expect.workload)
        if expect.version:
            yield ("version",), partial(workload_target, mesh, expect.workload, expect.version)
    if expect.outside:
        yield ("outside",), partial(outside_target, mesh, expect.outside)
    for mirror in mirrors_of(expect):
        yield ("mirror",), partial(workload_target, mesh, mirror.workload, mirror.version)
    for name in not_reached_of(expect):
        yield ("notReached",), partial(anybody, mesh, name)
    for key in expect.split or ():
        yield ("split", key), partial(share_target, mesh, key, expect.workload)


def _problem(case: Case, path: tuple[str, ...], error: UsageError) -> Problem:
    message, _, there = str(error).partition("; ")
    return case.place.problem(path, message, "", there)
