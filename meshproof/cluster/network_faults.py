"""Network faults of a cluster: which are active, and the connections that they affect.

A fault is not a resource: it ends with ``heal``, ``reset`` or the mesh. New connections to the
affected addresses go through a proxy on the caller's node (``node_network``). Those that callers
hold are replaced: the Envoy clusters of the target get new metadata by our EnvoyFilter, and Envoy
makes a changed cluster anew. Requests in flight finish on the connection that they have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.cluster import manifests
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.node_network import NodeNetwork, Redirect
from meshproof.cluster.pods import Pod
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.reconciler import Reconciler
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import Unsupported, UsageError
from meshproof.host.impairments import parse_impairment
from meshproof.host.tcp_fault_proxy import Impairment
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE, service_host

GATEWAY = "gateway"
Workload = tuple[str, str]
"""Namespace and name; of an outside host ``("", host)``."""


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """From a workload (None: from every pod) to another, or to one of its replicas."""

    number: int
    kind: str
    source: Workload | None
    to: Workload
    replica: str


class NetworkFaults:
    """One caller at a time."""

    def __init__(
        self, state: MeshState, provider: Provider, pods: WorkloadPods, reconciler: Reconciler
    ) -> None:
        self._state = state
        self._provider = provider
        self._pods = pods
        self._reconciler = reconciler
        self._faults: list[NetworkFault] = []
        """The newest first: it counts where several affect a connection."""
        self._numbers = itertools.count(1)

    def begin(
        self, kind: str, workload: str, *, source: str = "", replica: str = "", **parameters: Any
    ) -> None:
        """In effect when it returns."""
        impairment = parse_impairment(kind, parameters)
        network = self._network(kind, workload)
        to, caller = self._find(workload), self._find(source) if source else None
        if caller is not None and not caller[0]:
            raise UsageError(f"fault {kind}: {source} is an outside host, which calls nobody here")
        if replica and to[0]:
            self._pods.of(workload, replica)
        faults = [NetworkFault(next(self._numbers), kind, caller, to, replica)]
        if kind == "partition":
            if caller is None:
                raise UsageError(f"fault partition: {workload} from whom? wanted source=WORKLOAD")
            if to[0]:
                faults.append(NetworkFault(next(self._numbers), kind, to, caller, ""))
        self._begin(network, faults, impairment)

    def _begin(
        self, network: NodeNetwork, faults: Sequence[NetworkFault], impairment: Impairment
    ) -> None:
        image = next(iter(self._state.images.values()))
        self._faults[:0] = faults
        try:
            for fault in faults:
                network.start_proxies(fault.number, image, impairment)
            self._take_effect(network, faults)
        except BaseException:
            self._end(network, faults)
            raise

    def end(self, workload: str = "") -> None:
        """Those to a workload, or from it; all without a name."""
        target = self._find(workload) if workload else None
        faults = [f for f in self._faults if target in (None, f.to, f.source)]
        if faults:
            self._end(self._network("heal", workload), faults)

    def _end(self, network: NodeNetwork, faults: Sequence[NetworkFault]) -> None:
        self._faults = [f for f in self._faults if f not in faults]
        try:
            self._take_effect(network, faults)
        finally:
            for fault in faults:
                network.stop_proxies(fault.number)

    def refresh(self) -> None:
        """After pods came or went: faults affect those that are there now."""
        if self._faults:
            self._take_effect(self._network("heal", ""), self._faults)

    def _take_effect(self, network: NodeNetwork, faults: Sequence[NetworkFault]) -> None:
        pods = self._pods.all()
        network.redirect([r for fault in self._faults for r in self._redirects(fault, pods)])
        hosts = {host for fault in faults for host in self._hosts(fault.to, pods)}
        self._reconciler.renew_connections(hosts)

    def on_the_way(self, source: Workload) -> dict[str, str]:
        """IP -> the kind of fault that a new connection of a caller to it meets now."""
        if not self._faults:
            return {}
        pods = self._pods.all()
        concerned = [f for f in reversed(self._faults) if f.source in (None, source)]
        return {ip: f.kind for f in concerned for ip in self._addresses(f, pods)}

    # -- who and where ---------------------------------------------------------------------------

    def _network(self, kind: str, workload: str) -> NodeNetwork:
        if self._provider.network is None:
            raise Unsupported(
                f"fault {kind} of {workload}: network faults need the nodes of a kind cluster "
                "(MESH=kind); here a VirtualService's fault delays and aborts requests"
            )
        return self._provider.network

    def _find(self, name: str) -> Workload:
        """A workload, the gateway, or an outside host by its name or alias."""
        if name == GATEWAY:
            return (ROOT_NAMESPACE, INGRESS_GATEWAY)
        if name in self._provider.outside:
            return ("", name)
        return self._pods.resolve(name)

    def _redirects(self, fault: NetworkFault, pods: Sequence[Pod]) -> Iterator[Redirect]:
        sources = [""]
        if fault.source is not None:
            sources = [pod.address for pod in self._select(fault.source, pods)]
        for to in self._addresses(fault, pods):
            for source in sources:
                yield Redirect(source, to, fault.number)

    def _addresses(self, fault: NetworkFault, pods: Sequence[Pod]) -> list[str]:
        if not fault.to[0]:
            return self._provider.outside.addresses(fault.to[1])
        targets = self._select(fault.to, pods)
        return [p.address for p in targets if fault.replica in ("", p.name)]

    def _select(self, workload: Workload, pods: Sequence[Pod]) -> list[Pod]:
        """Its pods that have an address, starting ones too."""
        if workload == (ROOT_NAMESPACE, INGRESS_GATEWAY):
            return [p for p in pods if p.gateway and p.address]
        return [p for p in self._pods.select(workload, pods) if p.address]

    def _hosts(self, to: Workload, pods: Sequence[Pod]) -> Iterator[str]:
        """The hosts by which Envoys know a target: of Services that select it; of every
        ServiceEntry for what is outside, because an address does not tell its name."""
        labels = [pod.labels.items() for pod in self._select(to, pods)] if to[0] else []
        for resource in manifests.sent_resources(self._state.applied):
            body = manifests.manifest_of(resource)
            if body["kind"] == "ServiceEntry" and not to[0]:
                yield from body["spec"]["hosts"]
            if body["kind"] == "Service" and resource.namespace == to[0]:
                selector = body["spec"].get("selector") or {}
                if selector and any(selector.items() <= of_pod for of_pod in labels):
                    yield service_host(resource.name, resource.namespace)
