"""Everything that only looks at a mesh on Kubernetes, or sends one request through it."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from meshproof.cluster import evidence, pod_request, pods
from meshproof.cluster.applied_state import titles
from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.lifecycle import Standing
from meshproof.cluster.pods import PROXY, Pod
from meshproof.errors import MeshproofError, UsageError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.mesh import AccessRecord, Answer, ExecResult, MeshStatus, ReplicaStatus, Span
from meshproof.telemetry.log_lines import LogLine, Wanted, in_order, of_text
from meshproof.telemetry.redact import without_keys

_ENDED = b"command terminated with exit code "
"""kubectl's last line on standard error when a command, not kubectl itself, failed."""


class Looking(Standing):
    """The part of the contract that changes nothing."""

    @property
    def _evidence(self) -> ClusterEvidence:
        return ClusterEvidence(self._kubectl)

    def url(self, target: str) -> str:
        """A workload is reached by ``kubectl port-forward``: to look, not to load."""
        self._live()
        if target == "gateway":
            return self._place.gateway_url()
        return self._place.outside_url(target) or self._forwarded(target)

    def _forwarded(self, workload: str) -> str:
        pod = self._pods_of(workload)[0]
        return self._forwards.url(pod.namespace, f"pod/{pod.name}", self._port(workload))

    def _port(self, workload: str) -> int:
        namespace, name = self._resolve(workload)
        body = self._state.items["Deployment", namespace, name].body
        assert body is not None
        for container in body["spec"]["template"]["spec"]["containers"]:
            for port in container.get("ports", ()):
                return int(port["containerPort"])
        raise UsageError(f"{workload} declares no container port")

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        """In the app's container of the first ready replica."""
        pod = self._pods_of(workload)[0]
        doing = f"running {argv[0]} in {pod.namespace}/{pod.name}"
        done = self._kubectl.exec(
            pod.namespace, pod.name, pod.container, argv,
            doing=doing, stdin=stdin, check=False, timeout=600,
        )  # fmt: skip
        if done.code and _ENDED not in done.stderr:
            raise MeshproofError(f"{doing}: {done.errors.strip()}")
        kept = [line for line in done.stderr.splitlines(True) if not line.startswith(_ENDED)]
        return ExecResult(done.code, done.stdout, b"".join(kept))

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
        """A refusal is HTTP 502, or a connection that is closed (status 0): the sidecar's access
        log tells a refusal from another end of a connection."""
        given = [v for k, v in headers if k.lower() == "x-request-id"]
        request_id = given[-1] if given else str(uuid.uuid4())
        sent = [*(h for h in headers if h[0].lower() != "x-request-id")]
        sent.append(("x-request-id", request_id))
        since = evidence.now()
        pod = self._pods_of(workload)[0]
        done = self._kubectl.exec(
            pod.namespace, pod.name, pod.container, ["python3", "-c", pod_request.SCRIPT],
            doing=f"{method} {url} from {pod.namespace}/{pod.name}", timeout=timeout + 30,
            stdin=pod_request.orders(url, method, sent, body, timeout),
        )  # fmt: skip
        came = pod_request.read(done.stdout)
        answer = came.answer
        if answer is not None and (answer.status != 502 or answer.body):
            return answer
        if answer is None and not came.closed:
            raise MeshproofError(f"{url}: {came.error}")
        if not self._refused(pod, request_id, came.peer, since):
            if answer is None:
                raise MeshproofError(f"{url}: {came.error}")
            return answer
        return Answer(
            answer.status if answer else 0,
            answer.headers if answer else (),
            b"",
            came.seconds,
            refused_by=(
                f"no rule opens {url} for {workload}: a ServiceEntry (or an EgressRule of 0.4) for "
                "that host and port would, or a Service of that name"
            ),
        )

    def _refused(self, pod: Pod, request_id: str, peer: str, since: str) -> bool:
        self._evidence.access_log([pod], "-")  # until it is written
        log = self._evidence.proxy_log(pod)
        return evidence.refused(log, request_id, peer, since)

    def _meshed(self, workload: str = "") -> list[Pod]:
        self._live()
        found = self._pods_of(workload) if workload else [p for p in self._pods() if p.alive]
        return [p for p in found if p.meshed]

    def spans(self, run_id: str) -> list[Span]:
        return self._evidence.spans(self._meshed(), run_id)

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._evidence.access_log(self._meshed(), run_id)

    def metrics(self, workload: str = "") -> str:
        return self._evidence.metrics(self._meshed(workload))

    def logs(self, workload: str) -> str:
        self._live()
        if self._place.outside_url(workload):
            return self._place.outside_logs(workload)
        if workload == "gateway":
            found = [p for p in self._pods() if p.gateway and p.alive]
            return "".join(self._evidence.proxy_log(p) for p in found)
        return "".join(self._evidence.app_log(p) for p in self._pods_of(workload))

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        """Every pod's lines of one trace, or of one run; a pod that is gone took its along."""
        wanted = Wanted(trace_id, run_id)
        self._live()
        found = [p for p in self._pods() if p.alive]
        self._evidence.access_log([p for p in found if p.meshed], "-")  # until it is written
        lines = [
            line
            for one in self._evidence.each(found, lambda pod: self._lines_of(pod, wanted))
            for line in one
        ]
        for name in self.project.outside:
            if self._place.outside_url(name):
                lines += of_text(self._place.outside_logs(name), name, "app", wanted)
        return in_order(lines)

    def _lines_of(self, pod: Pod, wanted: Wanted) -> list[LogLine]:
        """Of its app and its sidecar; a gateway has no app."""
        lines: list[LogLine] = []
        if pod.meshed:
            lines += of_text(self._evidence.proxy_log(pod), pod.name, "sidecar", wanted)
        if not pod.gateway:
            lines += of_text(self._evidence.app_log(pod), pod.name, "app", wanted)
        return lines

    def status(self) -> MeshStatus:
        self._live()
        found = self._pods()
        replicas = []
        for item in self._state.deployments():
            assert item.body is not None
            replicas += [
                ReplicaStatus(
                    name=p.name,
                    workload=item.name,
                    namespace=p.namespace,
                    labels=p.labels,
                    ready=p.ready,
                    restarts=p.restarts,
                    address=p.address,
                    reason=p.reason,
                )
                for p in pods.selected(found, item.body)
                if not p.ending
            ]
        return MeshStatus(
            name=self.name,
            kind="kind" if self.settings.on_kind else "context",
            replicas=tuple(replicas),
            resources=titles(self._state.ordered()),
            version=self._mark,
        )

    def dump(self, folder: Path) -> None:
        """Pods, events, Envoy configurations and logs; what cannot be had is named, not fatal."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("deploy,pods,services", "events"):
            for ns in (*self._state.namespaces(), ROOT_NAMESPACE):
                found = self._kubectl.get(kind, "-n", ns, doing=f"dumping {kind} of {ns}")
                name = f"{ns}.{kind.replace(',', '-')}.json"
                (folder / name).write_text(json.dumps(found, indent=1))
        for pod in self._pods():
            self._dump_pod(folder, pod)
        resources = "".join(f"{i.title}  {i.file}:{i.line}\n" for i in self._state.ordered())
        (folder / "resources.txt").write_text(resources)
        log = self.project.root / "artifacts" / "commands.log"
        if log.is_file():
            shutil.copy(log, folder / "commands.log")

    def _dump_pod(self, folder: Path, pod: Pod) -> None:
        stem = f"{pod.namespace}.{pod.name}"
        try:
            (folder / f"{stem}.log").write_text(self._evidence.app_log(pod))
            if pod.meshed and pod.alive:
                config = self._kubectl.admin(pod.namespace, pod.name, "config_dump?include_eds")
                shown = json.dumps(without_keys(json.loads(config)), indent=1)
                (folder / f"{stem}.config.json").write_text(shown)
                (folder / f"{stem}.{PROXY}.log").write_text(self._evidence.proxy_log(pod))
        except MeshproofError as error:
            (folder / f"{stem}.error.txt").write_text(str(error))
