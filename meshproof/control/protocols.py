"""Parts of a mesh that only some have, by which it is controlled from another process.

What a single call requires of a mesh is declared beside that call, in ``control/routes``. Imported
by every client: the contract itself is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from meshproof.mesh import Span


@runtime_checkable
class Remote(Protocol):
    """A mesh whose workloads run on another machine, so that a command for one is run there."""

    end_limit: float
    """Seconds that ``down`` may take, ``up`` included where it is cut short."""

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        """What to put before a command so that it runs in the workload's container, with this
        process's standard streams and its own exit code."""
        ...

    def named_logs(self, workload: str) -> str:
        """``logs`` up to now; each line with its replica where there are several."""
        ...


@runtime_checkable
class SupportsPods(Protocol):
    """A mesh on this machine whose replicas may be in pods."""

    def pod_command(self, workload: str) -> tuple[str, ...]:
        """What to put before a command so that it runs in the workload's pod, with its
        environment; empty where there are no pods."""
        ...

    def port_forward(self, workload: str, port: int) -> str:
        """An address of this machine that leads to a port of a workload's app."""
        ...


@runtime_checkable
class SupportsTraces(Protocol):
    """A mesh whose span store can be asked for whole traces."""

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Every span of these traces that has arrived by now, with or without a run id."""
        ...
