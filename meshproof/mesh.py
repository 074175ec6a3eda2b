"""The contract: what every mesh does, whether embedded or on Kubernetes.

Tests and tools know a mesh only through ``Mesh``. What only one mesh can do is a named
``Capability`` that a test asks for, never an ``if``. Every change returns evidence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from meshproof.errors import Problem

STDIN = "<stdin>"
"""What messages call standard input."""


class Source(NamedTuple):
    """YAML text in memory, and the name of its file in messages."""

    file: str
    text: str


Input = str | Path | Source
"""What a change is read from: a file, a folder, a Kustomize folder, or text in memory."""


class Capability(enum.StrEnum):
    """What a mesh may be asked for beyond the contract."""

    KILL_SIDECAR = "kill-sidecar"
    """``fault("kill", ..., part="sidecar")``: an Envoy ends without notice."""
    CUT = "cut"
    """``fault("latency" | "loss" | "refuse" | "partition", ...)``: ways between places."""
    RELEASE = "release"
    """``rules`` and ``tail`` (``control.routes.release.Releasing``): a canary with a judge."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One sidecar's own word that it took a configuration."""

    sidecar: str
    version: str
    seconds: float
    """From the start of the change until this sidecar had acknowledged all of it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Evidence of a change: it is live on every sidecar named here, and concerns no other."""

    resources: tuple[str, ...]
    """``VirtualService default/svcb configured``, as kubectl words it."""
    acks: tuple[Ack, ...]
    seconds: float
    """From reading the input to live everywhere."""
    warnings: tuple[Problem, ...] = ()
    """What is valid but dangling or shadowed."""
    notes: tuple[str, ...] = ()
    """What this mesh does without, a line a field: ``resources (no limit is set): Deployment
    payments/svca, ...``."""

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
    """How often the request was sent on; ``upstream_host`` is the last that it was sent to."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest part of the access logs, and where the next part will begin."""

    records: tuple[AccessRecord, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request that left one workload brought back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    refused_by: str = ""
    """Where the mesh itself refused: which kind of rule would open the way."""


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


@dataclass(frozen=True, slots=True)
class StatusCondition:
    """One status condition of a Gateway API route, in Kubernetes' words."""

    type: str
    """``Accepted`` or ``ResolvedRefs``."""
    status: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ParentStatus:
    """What became of a route at one of its parents."""

    kind: str
    name: str
    namespace: str
    port: int | None
    conditions: tuple[StatusCondition, ...]


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """An HTTPRoute's ``status.parents``."""

    name: str
    namespace: str
    parents: tuple[ParentStatus, ...]


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
    """Conditions of HTTPRoutes; a mesh on Kubernetes leaves them to kubectl."""


@dataclass(frozen=True, slots=True)
class Share:
    """Where a route sends a part of the calls to a host."""

    host: str
    """The service that is called, by full name: a metric's ``destination_service``."""
    namespace: str
    workloads: tuple[str, ...]
    """Which workloads of that namespace stand behind the destination, ready or not."""
    percent: float
    only: str
    """Of which calls: the match in few words; empty for all that no other route takes."""
    rule: str
    """``VirtualService payments/svcb``."""


@dataclass(frozen=True, slots=True)
class Topology:
    """What the rules in force say, for who draws them."""

    shares: tuple[Share, ...]
    outside: Mapping[str, str]
    """A metric's ``destination_service`` -> the host outside that it is."""
    serving: Mapping[str, tuple[str, ...]]
    """A service's full name -> the workloads behind it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One process that a mesh runs, all that it started included."""

    name: str
    """Of the replica, ``gateway``, or the host outside."""
    part: str
    """``app`` or ``sidecar``."""
    cpu_seconds: float
    """Processor time used so far."""
    memory_bytes: int
    """Resident now; pages that forked workers share count for each."""


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
        """Back to the resources and replica counts that ``up`` made; faults are undone."""
        ...

    def url(self, target: str) -> str:
        """``http://ip:port`` of a workload's first port or of ``gateway``, from outside."""
        ...

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        """Run a command as the workload's container would: its environment, its way out."""
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
        """Break something on purpose; ``reset`` and the mesh's end undo it.

        ``kill``, ``pause`` and ``resume``: processes, of part="app" (the default) or "sidecar", in
        every replica or in the one that replica= names; an outside host has its app alone.
        ``latency`` (ms=), ``loss`` (percent=), ``refuse``, ``cut``: the way to a workload or an
        outside host, for the callers of source= (a workload or ``gateway``; default everyone), to
        every replica or to that of replica=. ``partition`` is a cut both ways, and needs a source.
        ``heal`` ends the network's faults at a workload, ``clear`` all of them; at every place for
        an empty one. The network's begin and end after the change that is being made, which may
        take seconds where replicas start; they hold when the call returns. Raises Unsupported for
        what this mesh cannot do (``Capability.CUT``).
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
        """What a workload's app wrote to standard output and error."""
        ...

    def status(self) -> MeshStatus: ...

    def dump(self, folder: Path) -> None:
        """Everything that a failure's reader wants: Envoy configuration, logs, resources."""
        ...

    def down(self) -> None:
        """End all that ``up`` started; safe to call twice."""
        ...
