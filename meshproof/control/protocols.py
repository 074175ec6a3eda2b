"""What a mesh offers beyond the contract so that it can be controlled from another process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from meshproof.mesh import Mesh, Span, Tail, Topology, Usage

if TYPE_CHECKING:
    from meshproof.explain import Explanation
    from meshproof.telemetry.log_lines import LogLine
    from meshproof.traffic.distributed_load import DistributedLoad


class ServedMesh(Mesh, Protocol):
    """A mesh whose process has a control socket."""

    @property
    def run_id(self) -> str: ...

    @property
    def run_dir(self) -> Path:
        """The run folder; it exists once ``up`` has returned."""
        ...

    @property
    def control_socket(self) -> Path:
        """Where in the run folder the control socket is to be."""
        ...

    def environment(self, workload: str) -> dict[str, str]:
        """The whole environment of a workload's container."""
        ...

    def log_files(self, workload: str) -> list[Path]:
        """Where the apps of a workload write, one file a replica; they need not exist yet."""
        ...

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        """Every log's lines of one trace, or of one run, in order of beginning.

        Raises UsageError for both, for neither, and for what is no trace id.
        """
        ...


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
class OnCluster(Protocol):
    """What only a mesh on a cluster does: load from inside it, and add-ons to look at it with."""

    def spread_load(self, load: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        """Send a load from pods; returns each pod's output (see ``distributed_load.write``)."""
        ...

    def observe(self, folder: Path) -> None:
        """Apply the add-ons of a folder; returns when they are available."""
        ...

    def observed(self, folder: Path) -> dict[str, str]:
        """Add-on -> its URL on this machine, as long as this mesh's process lives."""
        ...

    def unobserve(self, folder: Path) -> None:
        """Delete the add-ons again."""
        ...


@runtime_checkable
class Releasing(Protocol):
    """What a release with a judge needs beyond the contract (``Capability.RELEASE``)."""

    def rules(self) -> str:
        """Every applied resource of networking.istio.io as YAML, none of another dialect."""
        ...

    def tail(self, host: str, cursor: str) -> Tail:
        """What was called at a service (``svcb.payments.svc.cluster.local``), as its callers'
        sidecars and the gateway logged it since ``cursor``; ``now`` is the present end."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """A mesh that knows what each of its Envoys was given."""

    def explain(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Explanation:
        """What would become of such a request from a workload, or at ``gateway``."""
        ...


@runtime_checkable
class Traced(Protocol):
    """A mesh whose span store can be asked for whole traces."""

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        """Every span of these traces that has come by now, whoever handed on a run id or not."""
        ...


@runtime_checkable
class Watched(Protocol):
    """What a dashboard reads each second, made cheap."""

    def topology(self) -> Topology:
        """Where the rules in force send calls, and what lies outside."""
        ...

    def usage(self) -> list[Usage]:
        """Processor time and memory of every process that the mesh runs."""
        ...

    def request_metrics(self) -> str:
        """Of ``metrics`` the requests' counters and durations alone."""
        ...
