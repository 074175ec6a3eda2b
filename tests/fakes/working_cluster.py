"""A cluster of fakes whose workloads answer: commands run, requests arrive, sidecars log them and
show the configuration that the rules make."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from meshproof.cluster.dry_run.fake_kubernetes import CommandOutput, FakeKubernetes, Json
from tests.fakes.cluster_machine import Machine

_FLUSHED = {"stats": [{"name": "filesystem.write_total_buffered", "value": 0}]}
_UNKNOWN_FUNCTION = "nosuch("
"""In an expression that parses; Envoy refuses the listener with it."""


class WorkingCluster(FakeKubernetes):
    """Answers requests to a Service of the suite, and to 10.100.35.27 where a ServiceEntry names
    it."""

    def __init__(self) -> None:
        super().__init__()
        self._logs: dict[str, list[dict[str, Any]]] = {}

    def execute(self, namespace: str, pod: str, argv: list[str], stdin: str) -> CommandOutput:
        if argv[0] == "sh":
            return (7, "out\n", "err\ncommand terminated with exit code 7\n")
        if argv[:2] == ["python3", "-c"]:
            return (0, json.dumps(self._request(pod, json.loads(stdin))), "")
        return super().execute(namespace, pod, argv, stdin)

    def admin(self, namespace: str, pod: str, path: str) -> str:
        if "filesystem" in path:
            return json.dumps(_FLUSHED)
        if path == "config_dump?include_eds":
            return json.dumps({"configs": self._configuration()})
        if path.startswith("config_dump?resource=dynamic_listeners"):
            return json.dumps({"configs": [self._listener()]})
        return super().admin(namespace, pod, path)

    def log(self, namespace: str, pod: str) -> str:
        return "".join(json.dumps(record) + "\n" for record in self._logs.get(pod, ()))

    def log_payment(self, run_id: str) -> None:
        """A request that entered by the gateway and was answered."""
        for pod in ("istio-ingressgateway-0", "svca-0", "svcb-v0.2-0"):
            inbound = {"upstream_cluster": "inbound|8080||", "route": "default"}
            self._write(pod, {**_record(run_id, "", ""), **inbound})

    # -- configuration ---------------------------------------------------------------------------

    def _configuration(self) -> list[Json]:
        """Routes and clusters are the rules' own specs; one listener is there, another warms."""
        clusters = [
            {"cluster": {"name": name, "spec": d["spec"]}}
            for name, d in self._of("DestinationRule")
        ]
        routes = [
            {"route_config": {"name": name, "spec": d["spec"]}}
            for name, d in self._of("VirtualService")
        ]
        listener = {"name": "virtualInbound", "active_state": {"listener": {"name": "inbound"}}}
        warming = {"name": "warming", "warming_state": {"listener": {"name": "warming"}}}
        return [
            {"dynamic_active_clusters": clusters},
            {"dynamic_listeners": [listener, warming]},
            {"dynamic_route_configs": routes},
        ]

    def _of(self, kind: str) -> list[tuple[str, Json]]:
        return [
            (name, document)
            for (of_kind, namespace, name), document in self.objects.items()
            if of_kind == kind and namespace != "meshproof-system"
        ]

    def _listener(self) -> Json:
        expressions = json.dumps([d["spec"] for _, d in self._of("Telemetry")])
        if _UNKNOWN_FUNCTION not in expressions:
            return {"name": "virtualInbound"}
        details = "failed to create an expression: No overload found in reference resolve step"
        return {"name": "virtualInbound", "error_state": {"details": details}}

    # -- requests --------------------------------------------------------------------------------

    def _request(self, pod: str, request: dict[str, Any]) -> dict[str, Any]:
        url = urlsplit(request["url"])
        headers = dict(request["headers"])
        peer = f"{url.hostname}:{url.port or 80}"
        record = _record(headers.get("x-run-id"), headers["x-request-id"], peer)
        response = {"error": "", "closed": False, "ip": peer, "seconds": 0.001}
        if url.hostname == "10.100.35.27" and not self._is_open(url.hostname):
            blocked = {"code": 0, "run_id": None, "request_id": None, "flags": "UH"}
            self._write(pod, {**record, **blocked, "upstream_cluster": "BlackHoleCluster"})
            return {**response, "error": "closed", "closed": True}
        self._write(pod, {**record, "upstream_cluster": f"outbound|80||{url.hostname}"})
        if url.hostname == "svcb":
            self._write("svcb-v0.1-0", {**record, "upstream_cluster": "inbound|8080||"})
        status = self._status(headers.get("host") or url.hostname or "")
        return {**response, "status": status, "headers": [], "body": ""}

    def _status(self, host: str) -> int:
        """A rule may route a host to a Service that does not exist: Envoy answers 503."""
        service = host.partition(".")[0]
        inside = host.endswith(".svc.cluster.local")
        return 503 if inside and not any(n == service for n, _ in self._of("Service")) else 200

    def _is_open(self, address: str) -> bool:
        entries = self._of("ServiceEntry")
        return any(address in entry["spec"].get("addresses", ()) for _, entry in entries)

    def _write(self, pod: str, record: dict[str, Any]) -> None:
        self._logs.setdefault(pod, []).append(record)


def _record(run_id: str | None, request_id: str, peer: str) -> dict[str, Any]:
    return {
        "time": "9999-01-01T00:00:00.000Z", "run_id": run_id, "route": None,
        "request_id": request_id, "code": 200, "downstream_local": peer,
    }  # fmt: skip


def working_machine() -> Machine:
    machine = Machine()
    machine.kube = WorkingCluster()
    return machine
