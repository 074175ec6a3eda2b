"""The embedded mesh: the ``Mesh`` contract with one real Envoy per replica, on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshproof.embedded.changes import Changes
from meshproof.embedded.fault_injection import FaultInjection
from meshproof.embedded.lifecycle import Lifecycle
from meshproof.embedded.queries import Queries
from meshproof.mesh import (
    AccessRecord,
    Answer,
    Applied,
    Capability,
    ExecResult,
    Input,
    MeshStatus,
    Span,
    Tail,
    Topology,
    Usage,
)
from meshproof.project import Project
from meshproof.telemetry.log_lines import LogLine

if TYPE_CHECKING:
    from meshproof.explain import Explanation


class EmbeddedMesh:
    """See ``meshproof.mesh.Mesh``, and ``meshproof.control`` for what goes beyond it. Callable from
    any thread; changes run one at a time."""

    capabilities = frozenset({Capability.KILL_SIDECAR, Capability.CUT, Capability.RELEASE})

    def __init__(self, project: Project, *, name: str = "meshproof") -> None:
        self.project = project
        self.lifecycle = Lifecycle(project, name)
        self._queries = Queries(self.lifecycle)
        self._changes = Changes(self.lifecycle)
        self._faults = FaultInjection(self.lifecycle)

    # -- life ----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.lifecycle.name

    @property
    def run_id(self) -> str:
        return self.lifecycle.run_id

    @property
    def run_dir(self) -> Path:
        return self.lifecycle.run_dir

    @property
    def control_socket(self) -> Path:
        return self.lifecycle.control_socket

    def up(self) -> Applied:
        return self.lifecycle.up()

    def down(self) -> None:
        self.lifecycle.down()

    # -- changes -------------------------------------------------------------------------------

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        return self._changes.apply(sources, namespace=namespace, strict=strict)

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        return self._changes.delete(sources, namespace=namespace)

    def scale(self, workload: str, replicas: int) -> Applied:
        return self._changes.scale(workload, replicas)

    def reset(self) -> Applied:
        self._faults.clear()
        return self._changes.reset()

    def renew_certificates(self) -> None:
        """Give every Envoy a new key and certificate now; the mesh does so by itself in time."""
        self._changes.renew_certificates()

    def fault(self, kind: str, workload: str, **parameters: Any) -> None:
        self._faults.fault(kind, workload, **parameters)

    # -- queries -------------------------------------------------------------------------------

    def url(self, target: str) -> str:
        return self._queries.url(target)

    def environment(self, workload: str) -> dict[str, str]:
        return self._queries.environment(workload)

    @property
    def in_pods(self) -> bool:
        """Whether its replicas are in pods; known once it is up."""
        return self.lifecycle.project.pods

    def pod_command(self, workload: str) -> tuple[str, ...]:
        """What to put before a command so that it runs in a replica's pod, if there are pods."""
        return self._queries.command(workload)

    def port_forward(self, workload: str, port: int) -> str:
        """An address of this machine that leads to a port of a workload's app, as long as the
        replica lives."""
        return self._queries.port_forward(workload, port)

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        return self._queries.exec(workload, argv, stdin=stdin)

    def curl(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        return self._queries.curl(
            workload, url, method=method, headers=headers, body=body, timeout=timeout
        )

    def explain(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Explanation:
        return self._queries.explain(workload, url, method=method, headers=headers)

    def spans(self, run_id: str) -> list[Span]:
        return self._queries.spans(run_id)

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        return self._queries.trace_spans(trace_ids)

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._queries.access_log(run_id)

    def tail(self, host: str, cursor: str) -> Tail:
        return self._queries.tail(host, cursor)

    def metrics(self, workload: str = "") -> str:
        return self._queries.metrics(workload)

    def request_metrics(self) -> str:
        return self._queries.request_metrics()

    def log_files(self, workload: str) -> list[Path]:
        return self._queries.log_files(workload)

    def logs(self, workload: str) -> str:
        return self._queries.logs(workload)

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        return self._queries.joined_logs(trace_id=trace_id, run_id=run_id)

    def rules(self) -> str:
        return self._queries.rules()

    def status(self) -> MeshStatus:
        return self._queries.status()

    def topology(self) -> Topology:
        return self._queries.topology()

    def usage(self) -> list[Usage]:
        return self._queries.usage()

    def dump(self, folder: Path) -> None:
        self._queries.dump(folder)
