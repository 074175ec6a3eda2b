"""Fake meshes whose workloads run elsewhere, and on a cluster."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

from meshproof.mesh import MeshStatus
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.results import LoadError
from tests.fakes.mesh import FakeMesh
from tests.fakes.pod_results import pod_results


class RemoteFakeMesh(FakeMesh):
    """Implements ``control.protocols.Remote``."""

    end_limit = 0.5

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        return ("kubectl", "exec", "-it" if terminal else "-i", f"{workload}-0", "--")

    def named_logs(self, workload: str) -> str:
        return f"{workload}-0 | hello\n"


class ClusterFakeMesh(RemoteFakeMesh):
    """Sends nothing; ``hold`` keeps a load from ending until it is stopped."""

    hold = False
    stopped = False
    worker = pod_results("v0.1")

    def spread_load(self, load: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        self.calls.append(("load", load))
        if self.hold:
            self.stopped = stop.wait(300)
            raise LoadError("ended")
        pods = (pod_results(log="Aggregated"), self.worker, pod_results("v0.2", "v0.2"))
        return [json.loads(pod) for pod in pods]

    def status(self) -> MeshStatus:
        return dataclasses.replace(super().status(), kind="kind")

    def observe(self, folder: Path) -> None:
        self.calls.append(("observe", folder))

    def addon_urls(self, folder: Path) -> dict[str, str]:
        return {"kiali": "http://127.0.0.1:2", "grafana": "http://127.0.0.1:1"}

    def unobserve(self, folder: Path) -> None:
        self.calls.append(("unobserve", folder))
