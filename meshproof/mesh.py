"""The contract of every mesh, embedded or on Kubernetes; one file, because it is read as a whole.

Tests and tools know a mesh only through ``Mesh``. What only one kind of mesh can do is a named
``Capability`` that a test asks for, never an ``if``. Every change returns evidence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from meshproof.errors import Problem
from meshproof.inputs import STDIN as STDIN  # noqa: PLC0414  (of the contract, too)
from meshproof.inputs import Input as Input  # noqa: PLC0414  (of the contract, too)
from meshproof.inputs import Source as Source  # noqa: PLC0414  (of the contract, too)


class Capability(enum.StrEnum):
    """What some meshes can do beyond the contract."""

    KILL_SIDECAR = "kill-sidecar"
    """``fault("kill", ..., part="sidecar")``: an Envoy dies without a drain."""
    CUT = "cut"
    """``fault("latency" | "loss" | "refuse" | "cut" | "partition", ...)``: network faults."""
    RELEASE = "release"
    """``control.routes.release.SupportsRelease``: a judged canary release."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One sidecar's acknowledgement of a configuration."""

    sidecar: str
    """Its replica, as in ``ReplicaStatus.name``; a gateway's own name or pod."""
    version: str
    seconds: float
    """From the start of the change until this sidecar had acknowledged all of it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Evidence that a change is live on every sidecar in ``acks``; it concerns no other."""

    resources: tuple[str, ...]
    """``VirtualService default/svcb configured``, as kubectl words it."""
    acks: tuple[Ack, ...]
    seconds: float
    """From reading the input until it was live everywhere."""
    warnings: tuple[Problem, ...] = ()
    """What is valid, but dangling, shadowed or without effect."""
    notes: tuple[str, ...] = ()
    """Fields that this mesh does not honour, one line each: ``resources is not honoured by a local
    process: no limit is set (Deployment payments/svca)``."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "resources": list(self.resources),
            "acks": [
                {"sidecar": a.sidecar, "version": a.version, "seconds": a.seconds}
                for a in self.acks
            ],
            "seconds": self.seconds,
            "warnings": [w.as_dict() for w in self.warnings],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """One span in Zipkin v2 terms; times in seconds."""

    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    """CLIENT or SERVER."""
    service: str
    """The Envoy's cluster: ``<app>.<namespace>``."""
    name: str
    start: float
    duration: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One line of a sidecar's access log."""

    sidecar: str
    """Its replica, as in ``ReplicaStatus.name``; a gateway's own name or pod."""
    direction: str
    """``outbound``, ``inbound`` or ``gateway``."""
    time: str
    method: str
    path: str
    authority: str
    code: int
    """0 where no answer was sent."""
    flags: str
    """Envoy's response flags, ``-`` for none."""
    details: str
    duration_ms: int
    upstream_cluster: str
    upstream_host: str
    route: str
    request_id: str
    trace_id: str
    run_id: str
    attempts: int = 0
    """How often the request was sent upstream; ``upstream_host`` is the last host tried."""
    final_path: str = ""
    """As it was sent on: ``path`` is the one before a route, of a caller's too, rewrote it."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest access log records, and the cursor where the next ones begin."""

    records: tuple[AccessRecord, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a request that one workload sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    refused_by: str = ""
    """Empty unless the mesh itself refused: which kind of rule would allow the request."""


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    name: str
    workload: str
    namespace: str
    labels: Mapping[str, str]
    ready: bool
    restarts: int
    address: str
    reason: str = ""
    """Why it is not ready."""
    sidecar: bool = True
    """False for a pod whose injection is off."""


@dataclass(frozen=True, slots=True)
class StatusCondition:
    """One status condition of a route, a Gateway or a listener of the Gateway API."""

    type: str
    """``Accepted``, ``ResolvedRefs``, ``Programmed`` or ``Conflicted``."""
    status: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ParentStatus:
    """The conditions of a route at one of its parents."""

    kind: str
    name: str
    namespace: str
    port: int | None
    conditions: tuple[StatusCondition, ...]
    section_name: str = ""
    """The listener of a Gateway that the route names; empty for all."""


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """A route's ``status.parents``."""

    name: str
    namespace: str
    parents: tuple[ParentStatus, ...]
    kind: str = "HTTPRoute"


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """One of ``status.listeners`` of the Gateway API's Gateway."""

    name: str
    attached_routes: int
    supported_kinds: tuple[str, ...]
    conditions: tuple[StatusCondition, ...]


@dataclass(frozen=True, slots=True)
class KubernetesGatewayStatus:
    """The ``status`` of the Gateway API's Gateway."""

    namespace: str
    name: str
    conditions: tuple[StatusCondition, ...]
    listeners: tuple[ListenerStatus, ...]


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """A gateway Envoy, and where each port of its Gateways is reached from this machine."""

    namespace: str
    workload: str
    ready: bool
    ports: Mapping[int, str]
    """The port that rules name -> ``127.0.0.1:8080``."""


@dataclass(frozen=True, slots=True)
class MeshStatus:
    name: str
    kind: str
    """``embedded`` or ``kind``."""
    replicas: tuple[ReplicaStatus, ...]
    resources: tuple[str, ...]
    version: str
    """Of the newest configuration that is live."""
    routes: tuple[RouteStatus, ...] = ()
    """Conditions of the Gateway API's routes; a mesh on Kubernetes leaves them to kubectl."""
    kubernetes_gateways: tuple[KubernetesGatewayStatus, ...] = ()
    """And of its Gateways."""
    gateways: tuple[GatewayStatus, ...] = ()
    """On Kubernetes Istio's ingress gateway alone."""


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a host's requests that a route sends to one destination."""

    host: str
    """The service that is called, by full name: a metric's ``destination_service``."""
    namespace: str
    workloads: tuple[str, ...]
    """The workloads of that namespace that serve the destination, ready or not."""
    percent: float
    only: str
    """Which requests, in brief; empty for all that no other route matches."""
    rule: str
    """``VirtualService payments/svcb``."""


@dataclass(frozen=True, slots=True)
class Topology:
    """What the rules in force declare, for a graph."""

    shares: tuple[Share, ...]
    outside: Mapping[str, str]
    """A metric's ``destination_service`` -> the outside host behind it."""
    serving: Mapping[str, tuple[str, ...]]
    """A service's full name -> the workloads that serve it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One process that a mesh runs, its child processes included."""

    name: str
    """Of the replica, ``gateway``, or the host outside."""
    part: str
    """``app`` or ``sidecar``."""
    cpu_seconds: float
    """Processor time used so far."""
    memory_bytes: int
    """Resident now; pages that forked workers share count once for each."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    code: int
    stdout: bytes
    stderr: bytes


class Mesh(Protocol):
    """A running mesh. WORKLOAD arguments are ``NAME`` or ``NAMESPACE/NAME``.

    Every method raises ``meshproof.errors.MeshproofError`` or a subclass: ``Refused`` for input
    (nothing was applied), ``UsageError`` for names, ``NotLive`` when a change could not be made
    live (it was undone).
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def up(self) -> Applied:
        """Start everything and return when the first configuration is live everywhere."""
        ...

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        """Create or replace every document of every source; all or none.

        ``namespace`` is for documents without one and must not contradict the others (kubectl's
        ``-n``); ``strict`` refuses on warnings too.
        """
        ...

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        """Remove every document by kind, namespace and name; all or none."""
        ...

    def reset(self) -> Applied:
        """Return to the resources and replica counts of ``up``; faults are undone."""
        ...

    def url(self, target: str) -> str:
        """``http://ip:port`` of a workload's first port or of ``gateway``, as reached from
        outside the mesh."""
        ...

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        """Run a command as the workload's container would: its environment, and its requests
        through the sidecar."""
        ...

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
        """One request from a workload through its sidecar."""
        ...

    def scale(self, workload: str, replicas: int) -> Applied:
        """Set the number of replicas; returns when they are ready and every sidecar knows."""
        ...

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        """Inject a fault; ``reset`` and the mesh's end undo it.

        ``kill``, ``pause`` and ``resume``: processes, of part="app" (the default) or "sidecar", in
        every replica or in the one that replica= names; an outside host has its app alone.
        ``latency`` (ms=), ``loss`` (percent=), ``refuse``, ``cut``: connections to a workload or
        an outside host, from source= (a workload or ``gateway``; default everyone), to every
        replica or to the one of replica=. ``partition`` cuts both directions, and needs a source.
        ``heal`` ends the network faults of a workload, ``clear`` all its faults; of all workloads
        if it is empty. Network faults begin and end after a change that is under way, which may
        take seconds where replicas start; they are in effect when the call returns. Raises
        Unsupported for what this mesh cannot do (``Capability.CUT``).
        """
        ...

    def spans(self, run_id: str) -> list[Span]:
        """Every span of one run, complete: waits until the sidecars have flushed."""
        ...

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        """Every access log record (of one run), complete: waits until flushed."""
        ...

    def metrics(self, workload: str = "") -> str:
        """Prometheus text of all sidecars, or of one workload's."""
        ...

    def logs(self, workload: str) -> str:
        """Standard output and error of a workload's app."""
        ...

    def status(self) -> MeshStatus: ...

    def dump(self, folder: Path) -> None:
        """Write all evidence for debugging a failure: Envoy configuration, logs, resources."""
        ...

    def down(self) -> None:
        """Stop all that ``up`` started; safe to call twice."""
        ...
