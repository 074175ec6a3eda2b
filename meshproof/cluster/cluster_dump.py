"""What a mesh on a cluster is, written to a folder for whoever looks into a failure."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.pods import PROXY, Pod
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import MeshproofError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.telemetry.redact import redact_private_keys, redact_values

_KINDS = (("deployments", "statefulsets", "pods", "services"), ("events",))


class ClusterDump:
    """Pods, events, Envoy configurations and logs, without private keys and values of Secrets that
    were applied."""

    def __init__(
        self,
        state: MeshState,
        pods: WorkloadPods,
        kubectl: Kubectl,
        evidence: ClusterEvidence,
        log: Path,
    ) -> None:
        """``log`` is that of all commands; it may not exist."""
        self._state = state
        self._pods = pods
        self._kubectl = kubectl
        self._evidence = evidence
        self._log = log
        self._secrets = state.applied.secret_values()

    def write(self, folder: Path) -> None:
        """A pod that does not answer leaves an error in the folder, and the rest is written."""
        folder.mkdir(parents=True, exist_ok=True)
        for kinds in _KINDS:
            for namespace in (*self._pods.namespaces(), ROOT_NAMESPACE):
                doing = f"dumping {', '.join(kinds)} of {namespace}"
                items = self._kubectl.list(*kinds, namespace=namespace, doing=doing)
                file = folder / f"{namespace}.{'-'.join(kinds)}.json"
                self._write(file, json.dumps(items, indent=1))
        for pod in self._pods.all():
            self._write_pod(folder, pod)
        resources = self._state.applied.resources
        lines = (f"{r.title}  {r.location.file}:{r.location.line}\n" for r in resources)
        self._write(folder / "resources.txt", "".join(lines))
        if self._log.is_file():
            self._write(folder / "commands.log", self._log.read_text(encoding="utf-8"))

    def _write_pod(self, folder: Path, pod: Pod) -> None:
        stem = f"{pod.namespace}.{pod.name}"
        try:
            self._write(folder / f"{stem}.log", self._evidence.app_log(pod))
            if pod.meshed and pod.alive:
                config = self._kubectl.admin(pod.namespace, pod.name, "config_dump?include_eds")
                text = redact_private_keys(config.encode()).decode()
                self._write(folder / f"{stem}.config.json", text)
                self._write(folder / f"{stem}.{PROXY}.log", self._evidence.proxy_log(pod))
        except MeshproofError as error:
            self._write(folder / f"{stem}.error.txt", str(error))

    def _write(self, file: Path, text: str) -> None:
        file.write_bytes(redact_values(text.encode(), self._secrets))
