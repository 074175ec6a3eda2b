"""What a dashboard reads each second, made cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from meshproof.control.endpoint import immediate, query
from meshproof.control.wire import Json, as_json
from meshproof.errors import UsageError

if TYPE_CHECKING:
    from meshproof.control.context import ControlContext
    from meshproof.mesh import Topology, Usage


@runtime_checkable
class SupportsDashboard(Protocol):
    """A mesh that offers more than the contract to a dashboard."""

    def topology(self) -> Topology:
        """Where the rules in force send calls, and which hosts are outside."""
        ...

    def usage(self) -> list[Usage]:
        """Processor time and memory of every process that the mesh runs."""
        ...

    def request_metrics(self) -> str:
        """The part of ``metrics`` with the counters and durations of requests."""
        ...


@immediate
def events(context: ControlContext, since: int = 0) -> list[Json]:
    """``Event.as_dict()`` of every change with a higher number than ``since``, oldest first."""
    if since < 0:
        raise UsageError(f"events since {since}: wanted the number of an event")
    return [event.as_dict() for event in context.events.since(since)]


@query
def topology(context: ControlContext) -> Json:
    """``Topology`` as a mapping; empty for a mesh that does not know it: shares are left out of
    the page, not guessed."""
    return as_json(context.mesh.topology()) if isinstance(context.mesh, SupportsDashboard) else {}


@query
def usage(context: ControlContext) -> list[Json]:
    """``Usage`` as mappings; none for a mesh whose processes run elsewhere."""
    mesh = context.mesh
    return (
        [as_json(process) for process in mesh.usage()]
        if isinstance(mesh, SupportsDashboard)
        else []
    )


@query
def requests(context: ControlContext) -> str:
    """Prometheus text with the counters and durations of requests, at least."""
    mesh = context.mesh
    return mesh.request_metrics() if isinstance(mesh, SupportsDashboard) else mesh.metrics()
