"""The pods of a mesh, and those of one workload."""

from __future__ import annotations

from meshproof import workload_names
from meshproof.admission.store import Store
from meshproof.cluster.kubectl import Json, Kubectl, labels_of
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
        """Namespace and name of the Deployment that ``NAME`` or ``NAMESPACE/NAME`` means.

        Raises UsageError.
        """
        self._state.require_up()
        return workload_names.resolve(workload, [_candidate(d) for d in self.deployments()])

    def deployments(self) -> list[Json]:
        """As they were written, in the order in which they were applied."""
        return [r.manifest for r in self._state.applied.resources if r.kind == "Deployment"]

    def deployment(self, workload: str) -> Json:
        namespace, name = self.resolve(workload)
        _created, resource = self._state.applied.entries["Deployment", namespace, name]
        return resource.manifest

    def of(self, workload: str) -> list[Pod]:
        """The workload's pods that can answer, ready ones first. Raises UsageError for none."""
        deployment = self.deployment(workload)
        pods = self.in_namespace(deployment["metadata"]["namespace"])
        alive = [p for p in select_pods(pods, deployment) if p.alive]
        if not alive:
            raise UsageError(
                f"{workload} has no replica; `meshproof scale {workload}=1` starts one"
            )
        return sorted(alive, key=lambda p: not p.ready)

    def sidecars(self, workload: str = "") -> list[Pod]:
        """The pods with a sidecar, of the whole mesh or of one workload; gateways are among
        them."""
        self._state.require_up()
        pods = self.of(workload) if workload else [p for p in self.all() if p.alive]
        return [p for p in pods if p.meshed]

    def gateways(self) -> list[Pod]:
        return [p for p in self.all() if p.gateway and p.alive]


def _candidate(deployment: Json) -> workload_names.Candidate:
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    app = str(labels_of(template).get("app", ""))
    return (metadata["namespace"], metadata["name"], app)
