"""A mesh that keeps a log of its changes, for a process that changes it by calls of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from meshproof.control.events import ChangeRequest, EventLog
from meshproof.control.routes.dashboard import SupportsDashboard
from meshproof.mesh import Applied, Input, Mesh, Source
from meshproof.report.changes import Shares, change_record, traffic_shares
from meshproof.report.sections import ChangeRecord

CAPACITY = 10_000
"""Changes that are kept: those of a whole pytest session."""
_LONGEST = 120


class RecordingMesh:
    """Records ``apply``, ``delete``, ``reset``, ``scale`` and ``fault``; the rest is the mesh's.

    Made by ``record_changes``, so that ``isinstance`` with the protocols of ``meshproof.control``
    answers as for the mesh itself.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._events = EventLog(CAPACITY)
        self._shares: dict[int, Shares] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mesh, name)

    @property
    def last_change(self) -> int:
        """The number of the newest change; 0 before the first."""
        return self._events.last

    def changes_since(self, number: int) -> list[ChangeRecord]:
        """Changes with a higher number, refused ones too, oldest first."""
        return [
            change_record(event.as_dict(), self._shares.get(event.number))
            for event in self._events.since(number)
        ]

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        return self._change(
            ChangeRequest("apply", _describe(sources)),
            lambda: self._mesh.apply(sources, namespace=namespace, strict=strict),
        )

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        return self._change(
            ChangeRequest("delete", _describe(sources)),
            lambda: self._mesh.delete(sources, namespace=namespace),
        )

    def reset(self) -> Applied:
        return self._change(ChangeRequest("reset", ""), self._mesh.reset)

    def scale(self, workload: str, replicas: int) -> Applied:
        return self._change(
            ChangeRequest("scale", f"{workload} {replicas}"),
            lambda: self._mesh.scale(workload, replicas),
        )

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        subject = " ".join([kind, workload, *(f"{key}={value}" for key, value in how.items())])
        self._events.record_call(
            ChangeRequest("fault", subject), lambda: self._mesh.fault(kind, workload, **how)
        )

    def _change(self, request: ChangeRequest, change: Callable[[], Applied]) -> Applied:
        applied = self._events.record_call(request, change)
        if isinstance(self._mesh, SupportsDashboard):
            replicas = self._mesh.status().replicas
            self._shares[self._events.last] = traffic_shares(self._mesh.topology(), replicas)
        return applied


def record_changes(mesh: Mesh) -> Mesh:
    """The mesh as a ``RecordingMesh`` that also has every attribute of this mesh's class.

    Since Python 3.12 ``isinstance`` with a protocol looks for attributes on the class, and would
    not see what ``__getattr__`` finds.
    """
    names = {name for name in dir(mesh) if not name.startswith("_")} - set(dir(RecordingMesh))
    attributes = {name: _pass_on(name) for name in names}
    kind = type(f"Recording{type(mesh).__name__}", (RecordingMesh,), attributes)
    return cast("Mesh", kind(mesh))


def _pass_on(name: str) -> property:
    return property(lambda recording: getattr(recording._mesh, name))


def _describe(sources: Sequence[Input]) -> str:
    text = ", ".join(map(_name, sources))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _name(source: Input) -> str:
    """Its file, relative to the working folder where it is below it."""
    file = source.file if isinstance(source, Source) else str(source)
    return file.removeprefix(f"{Path.cwd()}/")
