"""A fake machine whose workloads answer: commands run, requests arrive, sidecars log them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from meshproof.cluster.dry_run.fake_kubernetes import CommandOutput, FakeKubernetes
from tests.fakes.cluster_machine import Machine

_WRITTEN = {"stats": [{"name": "filesystem.write_total_buffered", "value": 0}]}


class WorkingCluster(FakeKubernetes):
    """Requests to a Service of the suite, and to 10.100.35.27 where a ServiceEntry names it."""

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
            return json.dumps(_WRITTEN)
        return super().admin(namespace, pod, path)

    def log(self, namespace: str, pod: str) -> str:
        return "".join(json.dumps(record) + "\n" for record in self._logs.get(pod, ()))

    def _request(self, pod: str, orders: dict[str, Any]) -> dict[str, Any]:
        url = urlsplit(orders["url"])
        headers = dict(orders["headers"])
        peer = f"{url.hostname}:{url.port or 80}"
        record = {
            "time": "9999-01-01T00:00:00.000Z", "run_id": headers.get("x-run-id"), "route": None,
            "request_id": headers["x-request-id"], "code": 200, "downstream_local": peer,
        }  # fmt: skip
        response = {"error": "", "closed": False, "ip": peer, "seconds": 0.001}
        if url.hostname == "10.100.35.27" and not self._opened(url.hostname):
            blocked = {"code": 0, "run_id": None, "request_id": None, "flags": "UH"}
            self._write(pod, {**record, **blocked, "upstream_cluster": "BlackHoleCluster"})
            return {**response, "error": "closed", "closed": True}
        self._write(pod, {**record, "upstream_cluster": f"outbound|80||{url.hostname}"})
        if url.hostname == "svcb":
            self._write("svcb-v0.1-0", {**record, "upstream_cluster": "inbound|8080||"})
        return {**response, "status": 200, "headers": [], "body": ""}

    def _opened(self, address: str) -> bool:
        return any(
            address in entry["spec"].get("addresses", ())
            for key, entry in self.objects.items()
            if key[0] == "ServiceEntry"
        )

    def _write(self, pod: str, record: dict[str, Any]) -> None:
        self._logs.setdefault(pod, []).append(record)


def working_machine() -> Machine:
    machine = Machine()
    machine.kube = WorkingCluster()
    return machine
