"""Everything that reads from a mesh on Kubernetes, or sends one request through it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from meshproof.cluster import evidence, pod_request, pods
from meshproof.cluster.access_log_tail import AccessLogTail
from meshproof.cluster.cluster_dump import ClusterDump
from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.pod_request import PodResponse
from meshproof.cluster.pods import Pod
from meshproof.cluster.port_forward import PortForwards
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.settings import Settings
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import MeshproofError, UsageError
from meshproof.istio_names import EGRESS_REFUSED, INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.mesh import (
    AccessRecord,
    Answer,
    ExecResult,
    GatewayStatus,
    MeshStatus,
    ReplicaStatus,
    Span,
    Tail,
)
from meshproof.model.yaml_writer import to_yaml
from meshproof.project import Project
from meshproof.telemetry.log_lines import LineFilter, LogLine, read_text, sort_lines
from meshproof.wait import DeadlineExceeded, until

LOGGED_WITHIN = 15.0
"""Seconds in which a sidecar logs a connection that it has closed, on the busiest machine. Spent
in full only where somebody else closed it."""
_COMMAND_FAILED = b"command terminated with exit code "
"""kubectl's last line on standard error where the command failed, not kubectl itself."""


class Queries:
    """The part of the contract that changes nothing. Callable from any thread."""

    def __init__(
        self,
        state: MeshState,
        *,
        project: Project,
        settings: Settings,
        provider: Provider,
        pods: WorkloadPods,
        forwards: PortForwards,
    ) -> None:
        self._state = state
        self._project = project
        self._settings = settings
        self._provider = provider
        self._kubectl = provider.kubectl
        self._pods = pods
        self._forwards = forwards
        self._evidence = ClusterEvidence(provider.kubectl)
        self._tail = AccessLogTail(self._evidence)

    # -- requests and commands -------------------------------------------------------------------

    def url(self, target: str) -> str:
        """A workload is reached by ``kubectl port-forward``: to inspect it, not to load it."""
        self._state.require_up()
        if target == "gateway":
            return self._provider.gateway_url()
        if target in self._provider.outside:
            return self._provider.outside.url(target)
        pod = self._pods.of(target)[0]
        return self._forwards.url(pod.namespace, f"pod/{pod.name}", self._first_port(target))

    def _first_port(self, workload: str) -> int:
        manifest = self._pods.manifest(workload)
        for container in manifest["spec"]["template"]["spec"]["containers"]:
            for port in container.get("ports", ()):
                return int(port["containerPort"])
        raise UsageError(f"{workload} declares no container port")

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        """In the app's container of the first ready replica."""
        pod = self._pods.of(workload)[0]
        doing = f"running {argv[0]} in {pod.namespace}/{pod.name}"
        result = self._kubectl.exec(
            pod.namespace, pod.name, pod.container, argv,
            doing=doing, stdin=stdin, check=False, timeout=600,
        )  # fmt: skip
        if result.code and _COMMAND_FAILED not in result.stderr:
            raise MeshproofError(f"{doing}: {result.errors.strip()}")
        lines = result.stderr.splitlines(True)
        own = [line for line in lines if not line.startswith(_COMMAND_FAILED)]
        return ExecResult(result.code, result.stdout, b"".join(own))

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
        """A refusal is HTTP 502 with an empty body, or a connection that is closed (status 0). The
        sidecar's access log tells it from other 502s and from other ends of a connection."""
        since = evidence.now()
        request_id, sent = _with_request_id(headers)
        pod = self._pods.of(workload)[0]
        output = self._kubectl.ask(
            pod.namespace, pod.name, pod.container, pod_request.SCRIPT,
            pod_request.build_request(url, method, sent, body, timeout),
            doing=f"{method} {url} from {pod.namespace}/{pod.name}", timeout=timeout + 30,
        )  # fmt: skip
        response = pod_request.parse_response(output)
        answer = response.answer
        if answer is not None:
            self._evidence.answered.add(pod, request_id, answer.headers)
        if answer is not None and (answer.status != EGRESS_REFUSED or answer.body):
            return answer
        if answer is None and not response.closed:
            raise MeshproofError(f"{url}: {response.error}")
        if self._is_refused(pod, request_id, response.peer, since):
            return _refusal(response, workload, url)
        if answer is None:
            raise MeshproofError(f"{url}: {response.error}")
        return answer

    def _is_refused(self, pod: Pod, request_id: str, peer: str, since: str) -> bool:
        """Envoy logs a connection when it has closed it, which the app may see before."""

        def reason() -> str:
            (log,) = self._evidence.wait_written([pod])
            refused = evidence.is_refused(log, request_id, peer, since)
            return "" if refused else "no refusal is in its access log"

        try:
            what = f"waiting for the sidecar of {pod.name} to log what it closed"
            until(reason, what, within=LOGGED_WITHIN, every=0.2)
        except DeadlineExceeded:
            return False
        return True

    # -- evidence --------------------------------------------------------------------------------

    def spans(self, run_id: str) -> list[Span]:
        return self._evidence.spans(self._pods.sidecars(), run_id)

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._evidence.access_log(self._pods.sidecars(), run_id)

    def tail(self, host: str, cursor: str) -> Tail:
        return self._tail.read(self._pods.sidecars(), host, cursor)

    def rules(self) -> str:
        resources = self._state.applied.ordered()
        return to_yaml(r for r in resources if r.api_version.startswith("networking.istio.io/"))

    def metrics(self, workload: str = "") -> str:
        return self._evidence.metrics(self._pods.sidecars(workload))

    def logs(self, workload: str) -> str:
        self._state.require_up()
        if workload in self._provider.outside:
            return self._provider.outside.logs(workload)
        if workload == "gateway":
            return "".join(self._evidence.proxy_log(pod) for pod in self._pods.gateways())
        return "".join(self._evidence.app_log(pod) for pod in self._pods.of(workload))

    def named_logs(self, workload: str) -> str:
        """Of several pods each line begins with its pod's name, as when they are followed."""
        if workload == "gateway" or workload in self._provider.outside:
            return self.logs(workload)
        replicas = sorted(self._pods.of(workload), key=lambda p: p.name)
        texts = self._evidence.each(replicas, self._evidence.app_log)
        if len(replicas) == 1:
            return texts[0]
        return "".join(
            f"{pod.name} | {line}"
            for pod, text in zip(replicas, texts, strict=True)
            for line in text.splitlines(keepends=True)
        )

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        """Every pod's lines of one trace, or of one run; those of a pod that is gone are lost."""
        selection = LineFilter(trace_id, run_id)
        self._state.require_up()
        alive = [p for p in self._pods.all() if p.alive]
        self._evidence.wait_written([p for p in alive if p.meshed])
        lines = [
            line
            for log in self._evidence.each(alive, lambda pod: self._lines_of(pod, selection))
            for line in log
        ]
        for name in self._project.outside:
            if name in self._provider.outside:
                lines += read_text(self._provider.outside.logs(name), name, "app", selection)
        return sort_lines(lines)

    def _lines_of(self, pod: Pod, selection: LineFilter) -> list[LogLine]:
        """Of its app and its sidecar; a gateway has no app."""
        lines: list[LogLine] = []
        if pod.meshed:
            log = self._evidence.proxy_log(pod)
            lines += [
                evidence.with_direction(line, pod)
                for line in read_text(log, pod.name, "sidecar", selection)
            ]
        if not pod.gateway:
            lines += read_text(self._evidence.app_log(pod), pod.name, "app", selection)
        return lines

    # -- status ----------------------------------------------------------------------------------

    def status(self) -> MeshStatus:
        self._state.require_up()
        all_pods = self._pods.all()
        return MeshStatus(
            name=self._state.name,
            kind="kind" if self._settings.on_kind else "context",
            replicas=tuple(
                _replica_status(pod, manifest["metadata"]["name"])
                for manifest in self._pods.manifests()
                for pod in pods.select_pods(all_pods, manifest)
                if not pod.ending
            ),
            resources=tuple(resource.title for resource in self._state.applied.resources),
            version=self._state.mark,
            gateways=self._gateways([pod for pod in all_pods if pod.gateway]),
        )

    def _gateways(self, all_gateways: Sequence[Pod]) -> tuple[GatewayStatus, ...]:
        """Istio's own, with the port that is reached from this machine."""
        if not all_gateways:
            return ()
        ports = {}
        with contextlib.suppress(MeshproofError):  # an existing cluster may not publish it
            ports = {80: urlsplit(self._provider.gateway_url()).netloc}
        ready = any(pod.ready and not pod.ending for pod in all_gateways)
        return (GatewayStatus(ROOT_NAMESPACE, INGRESS_GATEWAY, ready, ports),)

    def dump(self, folder: Path) -> None:
        log = self._project.root / "artifacts" / "commands.log"
        ClusterDump(self._state, self._pods, self._kubectl, self._evidence, log).write(folder)


def _with_request_id(
    headers: Sequence[tuple[str, str]],
) -> tuple[str, list[tuple[str, str]]]:
    """The request id, a new one where none is given, and the headers with exactly that one."""
    request_ids = [value for name, value in headers if name.lower() == "x-request-id"]
    request_id = request_ids[-1] if request_ids else str(uuid.uuid4())
    others = [h for h in headers if h[0].lower() != "x-request-id"]
    return request_id, [*others, ("x-request-id", request_id)]


def _refusal(response: PodResponse, workload: str, url: str) -> Answer:
    answer = response.answer
    return Answer(
        answer.status if answer else 0,
        answer.headers if answer else (),
        b"",
        response.seconds,
        refused_by=(
            f"no rule opens {url} for {workload}: a ServiceEntry (or an EgressRule of 0.4) for "
            "that host and port would, or a Service of that name"
        ),
    )


def _replica_status(pod: Pod, workload: str) -> ReplicaStatus:
    return ReplicaStatus(
        name=pod.name,
        workload=workload,
        namespace=pod.namespace,
        labels=pod.labels,
        ready=pod.ready,
        restarts=pod.restarts,
        address=pod.address,
        reason=pod.reason,
        sidecar=pod.meshed,
    )
