"""The mesh on Kubernetes: the ``Mesh`` contract, by kind, kubectl, istioctl and docker."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.cluster.addons_and_load import AddOnsAndLoad
from meshproof.cluster.changes import Changes
from meshproof.cluster.control_adapter import ControlAdapter
from meshproof.cluster.explain_adapter import ExplainAdapter
from meshproof.cluster.lifecycle import Lifecycle
from meshproof.cluster.queries import Queries
from meshproof.explain import Explanation
from meshproof.explain.question import Question
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
)
from meshproof.telemetry.log_lines import LogLine
from meshproof.traffic.distributed_load import DistributedLoad


@dataclass(frozen=True, slots=True)
class MeshParts:
    """What does the work. ``factory.assemble`` builds them."""

    capabilities: frozenset[Capability]
    lifecycle: Lifecycle
    changes: Changes
    queries: Queries
    extras: AddOnsAndLoad
    explainer: ExplainAdapter
    control: ControlAdapter


class ClusterMesh:
    """See ``meshproof.mesh.Mesh``, and ``control`` for the rest: ``ServedMesh``, ``Remote``,
    ``SupportsCluster``. Callable from any thread; changes run one at a time."""

    end_limit = 420.0
    """Seconds that ``down`` may take: on kind containers, networks and cluster (60 s for each
    command, 120 s for the last), elsewhere namespaces (180 s) and the rest (60 s each)."""

    def __init__(self, name: str, parts: MeshParts) -> None:
        self.name = name
        self.capabilities = parts.capabilities
        self._lifecycle = parts.lifecycle
        self._changes = parts.changes
        self._queries = parts.queries
        self._extras = parts.extras
        self._explainer = parts.explainer
        self._control = parts.control

    # -- up and down -----------------------------------------------------------------------------

    def up(self) -> Applied:
        self._control.open()
        try:
            return self._lifecycle.up()
        except BaseException:
            self._control.close()
            raise

    def down(self) -> None:
        try:
            self._control.stop_following()
            self._lifecycle.down()
        finally:
            self._control.close()

    # -- changes ---------------------------------------------------------------------------------

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        return self._changes.apply(sources, namespace=namespace, strict=strict)

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        return self._changes.delete(sources, namespace=namespace)

    def reset(self) -> Applied:
        return self._changes.reset()

    def scale(self, workload: str, replicas: int) -> Applied:
        return self._changes.scale(workload, replicas)

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        self._changes.fault(kind, workload, **how)

    # -- queries ---------------------------------------------------------------------------------

    def url(self, target: str) -> str:
        return self._queries.url(target)

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
        return self._explainer.explain(Question(workload, url, method, headers))

    def spans(self, run_id: str) -> list[Span]:
        return self._queries.spans(run_id)

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._queries.access_log(run_id)

    def metrics(self, workload: str = "") -> str:
        return self._queries.metrics(workload)

    def logs(self, workload: str) -> str:
        return self._queries.logs(workload)

    def named_logs(self, workload: str) -> str:
        return self._queries.named_logs(workload)

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        return self._queries.joined_logs(trace_id=trace_id, run_id=run_id)

    def tail(self, host: str, cursor: str) -> Tail:
        return self._queries.tail(host, cursor)

    def rules(self) -> str:
        return self._queries.rules()

    def status(self) -> MeshStatus:
        return self._queries.status()

    def dump(self, folder: Path) -> None:
        self._queries.dump(folder)

    # -- load and add-ons ------------------------------------------------------------------------

    def spread_load(self, load: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        return self._extras.spread_load(load, stop)

    def observe(self, folder: Path) -> None:
        self._extras.observe(folder)

    def addon_urls(self, folder: Path) -> dict[str, str]:
        return self._extras.addon_urls(folder)

    def unobserve(self, folder: Path) -> None:
        self._extras.unobserve(folder)

    # -- other processes -------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        return self._control.run_id

    @property
    def run_dir(self) -> Path:
        return self._control.run_dir

    @property
    def control_socket(self) -> Path:
        return self._control.control_socket

    def environment(self, workload: str) -> dict[str, str]:
        return self._control.environment(workload)

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        return self._control.command(workload, terminal=terminal)

    def log_files(self, workload: str) -> list[Path]:
        return self._control.log_files(workload)
