"""Remembers what was changed on a mesh in this process, for the report."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from meshproof.control.routes.dashboard import Watched
from meshproof.errors import MeshproofError
from meshproof.mesh import Applied, Input, Mesh, ReplicaStatus, Source, Topology
from meshproof.report.sections import ChangeRecord

_VERBS = {
    "apply": "apply", "delete": "delete", "scale": "scale", "fault": "fault", "reset": "reset",
}  # fmt: skip
_LONGEST = 120


class Changes:
    """Wraps a mesh's own methods until ``end``, so that it stays what it is to whoever asks
    ``isinstance``."""

    def __init__(self, mesh: Mesh) -> None:
        self.made: list[ChangeRecord] = []
        self._mesh = mesh
        self._inside = False
        for method, verb in _VERBS.items():
            setattr(mesh, method, self._watched(verb, getattr(mesh, method)))

    def end(self) -> None:
        """The mesh's methods are its own again; ``made`` stays."""
        for method in _VERBS:
            delattr(self._mesh, method)

    def _watched(self, verb: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def watched(*args: Any, **named: Any) -> Any:
            if self._inside:  # a method that is made out of another counts once
                return method(*args, **named)
            self._inside = True
            at, began = time.time(), time.monotonic()
            subject = _subject(verb, args, named)
            try:
                result = method(*args, **named)
            except MeshproofError as error:
                spent = time.monotonic() - began
                self.made.append(ChangeRecord(verb, subject, at, spent, error=str(error)))
                raise
            finally:
                self._inside = False
            spent = time.monotonic() - began
            self.made.append(self._change(verb, subject, at, spent, result))
            return result

        return watched

    def _change(
        self, verb: str, subject: str, at: float, spent: float, result: Any
    ) -> ChangeRecord:
        if not isinstance(result, Applied):
            return ChangeRecord(verb, subject, at, spent)
        sidecars = len({ack.sidecar for ack in result.acks})
        return ChangeRecord(verb, subject, at, result.seconds, sidecars, shares=self._shares())

    def _shares(self) -> dict[str, dict[str, float]]:
        if not isinstance(self._mesh, Watched):
            return {}
        return shares(self._mesh.topology(), list(self._mesh.status().replicas))


def shares(topology: Topology, replicas: list[ReplicaStatus]) -> dict[str, dict[str, float]]:
    """Service -> version -> per cent, of rules that hold for all calls. Pure."""
    versions = {
        (replica.namespace, replica.workload): replica.labels.get("version", "")
        for replica in replicas
    }
    found: dict[str, dict[str, float]] = {}
    for share in topology.shares:
        named = {versions.get((share.namespace, workload), "") for workload in share.workloads}
        if share.only or len(named) != 1:
            continue
        service = found.setdefault(share.host.partition(".")[0], {})
        version = named.pop()
        service[version] = service.get(version, 0.0) + share.percent
    return found


def _subject(verb: str, args: tuple[Any, ...], named: dict[str, Any]) -> str:
    if verb == "reset":
        return ""
    if verb in ("scale", "fault"):
        return " ".join([*map(str, args), *(f"{key}={value}" for key, value in named.items())])
    sources: Iterable[Input] = args[0] if args else named["sources"]
    return _short(", ".join(map(_name, sources)))


def _name(source: Input) -> str:
    """Its file, relative to the working folder where it is below it."""
    file = source.file if isinstance(source, Source) else str(source)
    return file.removeprefix(f"{Path.cwd()}/")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
