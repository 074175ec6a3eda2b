"""The pods of a mesh, and those of one workload."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof import workload_names
from meshproof.admission.store import Store
from meshproof.cluster.kubectl import Json, Kubectl, labels_of
from meshproof.cluster.manifest_diff import ROLLED_OUT
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.pods import Pod, parse_pods, select_pods
from meshproof.errors import UsageError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.kube_workloads import WORKLOADS


class WorkloadPods:
    """Asks Kubernetes each time."""

    def __init__(self, state: MeshState, kubectl: Kubectl) -> None:
        self._state = state
        self._kubectl = kubectl

    def all(self, store: Store | None = None) -> list[Pod]:
        """Of Istio's namespace and of those with workloads, by default as they are applied."""
        namespaces = [*self.namespaces(store), ROOT_NAMESPACE]
        return [pod for namespace in namespaces for pod in self.in_namespace(namespace)]

    def namespaces(self, store: Store | None = None) -> list[str]:
        """Those with workloads, by default as they are applied."""
        resources = (self._state.applied if store is None else store).of(*WORKLOADS)
        return sorted({resource.namespace for resource in resources})

    def in_namespace(self, namespace: str) -> list[Pod]:
        doing = f"looking at {namespace}"
        return parse_pods(self._kubectl.list("pods", namespace=namespace, doing=doing))

    def resolve(self, workload: str) -> tuple[str, str]:
        """Namespace and name of the workload that ``NAME`` or ``NAMESPACE/NAME`` means.

        Raises UsageError.
        """
        self._state.require_up()
        return workload_names.resolve(workload, [_candidate(w) for w in self.manifests()])

    def manifests(self) -> list[Json]:
        """Of the workloads, as they were written, in the order in which they were applied."""
        return [r.manifest for r in self._state.applied.resources if r.kind in ROLLED_OUT]

    def manifest(self, workload: str) -> Json:
        return self._manifest(self.resolve(workload))

    def _manifest(self, key: tuple[str, str]) -> Json:
        return next(m for m in self.manifests() if _candidate(m)[:2] == key)

    def of(self, workload: str, replica: str = "") -> list[Pod]:
        """The workload's pods that can answer, or the one of that name, ready ones first. Raises
        UsageError for none."""
        manifest = self.manifest(workload)
        pods = self.in_namespace(manifest["metadata"]["namespace"])
        alive = [p for p in select_pods(pods, manifest) if p.alive]
        if not alive:
            raise UsageError(
                f"{workload} has no replica; `meshproof scale {workload}=1` starts one"
            )
        selected = [p for p in alive if replica in ("", p.name)]
        if not selected:
            names = ", ".join(p.name for p in alive)
            raise UsageError(f"{workload} has no replica {replica}; it has {names}")
        return sorted(selected, key=lambda p: not p.ready)

    def expected(self, workload: str) -> tuple[int, list[Pod]]:
        """How many replicas were applied, and the pods there are; none for a workload that is no
        longer applied."""
        try:
            manifest = self.manifest(workload)
        except UsageError:
            return 0, []
        pods = select_pods(self.in_namespace(manifest["metadata"]["namespace"]), manifest)
        return int(manifest["spec"].get("replicas", 1)), [p for p in pods if not p.ending]

    def select(self, key: tuple[str, str], pods: Sequence[Pod]) -> list[Pod]:
        """The pods of the workload of that namespace and name."""
        return select_pods(pods, self._manifest(key))

    def sidecars(self, workload: str = "") -> list[Pod]:
        """The pods with a sidecar, of the whole mesh or of one workload; gateways are among
        them."""
        self._state.require_up()
        pods = self.of(workload) if workload else [p for p in self.all() if p.alive]
        return [p for p in pods if p.meshed]

    def gateways(self) -> list[Pod]:
        return [p for p in self.all() if p.gateway and p.alive]


def _candidate(workload: Json) -> workload_names.Candidate:
    metadata, template = workload["metadata"], workload["spec"]["template"]
    app = str(labels_of(template).get("app", ""))
    return (metadata["namespace"], metadata["name"], app)
