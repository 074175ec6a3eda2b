"""Gives ``meshproof.explain`` the Envoys of a cluster: what each holds now, by its own dump."""

from __future__ import annotations

import json
from collections.abc import Sequence

from meshproof.cluster.envoy_dump import endpoint_addresses, proxy_of
from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.kubectl import Json, labels_of
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.network_faults import GATEWAY, NetworkFaults
from meshproof.cluster.pods import Pod, select_pods
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import Unsupported
from meshproof.explain import Explanation, Fleet, LinkFault, Proxy
from meshproof.explain.question import Question, explain_question
from meshproof.istio_names import CLUSTER_DOMAIN, INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.project import Project

Address = tuple[str, int]


class ExplainAdapter:
    """See ``control.routes.explain.SupportsExplain``."""

    def __init__(
        self,
        state: MeshState,
        project: Project,
        provider: Provider,
        pods: WorkloadPods,
        faults: NetworkFaults,
    ) -> None:
        self._state = state
        self._project = project
        self._provider = provider
        self._kubectl = provider.kubectl
        self._pods = pods
        self._faults = faults
        self._evidence = ClusterEvidence(provider.kubectl)

    def explain(self, question: Question) -> Explanation:
        """Nothing is sent."""
        key = (ROOT_NAMESPACE, INGRESS_GATEWAY)
        if question.source != GATEWAY:
            key = self._pods.resolve(question.source)
        fleet = self._fleet(key)
        lowered = self._state.applied.lowered
        source = GATEWAY if question.source == GATEWAY else "/".join(key)
        return explain_question(
            fleet,
            lowered,
            Question(source, question.url, question.method, question.headers),
        )

    def _fleet(self, caller: tuple[str, str]) -> Fleet:
        pods = self._pods.sidecars()
        services = [s for n in self._namespaces() for s in self._services(n)]
        ports = _target_ports(services)
        proxies = self._evidence.each(
            [p for p in pods if p.gateway or p.namespace != ROOT_NAMESPACE],
            lambda pod: proxy_of(pod, self._workload_of(pod), self._dump(pod), ports),
        )
        outside, names = self._outside()
        names |= _service_addresses(services)
        return Fleet(
            tuple(proxies),
            outside,
            self._link_faults(caller, proxies),
            resolve=lambda namespace, name: _lookup(names, namespace, name),
        )

    def _dump(self, pod: Pod) -> Json:
        text = self._kubectl.admin(pod.namespace, pod.name, "config_dump?include_eds")
        dump: Json = json.loads(text)
        return dump

    def _workload_of(self, pod: Pod) -> str:
        if pod.gateway:
            return GATEWAY
        for manifest in self._pods.manifests():
            if select_pods([pod], manifest):
                return f"{pod.namespace}/{manifest['metadata']['name']}"
        return f"{pod.namespace}/{pod.name}"

    def _namespaces(self) -> list[str]:
        return [*self._pods.namespaces(), ROOT_NAMESPACE]

    def _services(self, namespace: str) -> list[Json]:
        doing = f"looking at the Services of {namespace}"
        return self._kubectl.list("services", namespace=namespace, doing=doing)

    def _outside(self) -> tuple[dict[Address, list[str]], dict[str, list[str]]]:
        """Names by address, and addresses by name; none where outside hosts are pods."""
        by_address: dict[Address, list[str]] = {}
        by_name: dict[str, list[str]] = {}
        for host, declared in self._project.outside.items():
            try:
                ips = self._provider.outside.addresses(host)
            except Unsupported:
                continue
            for name in (host, *declared.aliases):
                by_name[name] = ips[:1]
                for port in declared.ports:
                    for ip in (*ips, name):
                        by_address.setdefault((ip, port), []).extend((host, *declared.aliases))
        return by_address, by_name

    def _link_faults(
        self, caller: tuple[str, str], proxies: Sequence[Proxy]
    ) -> dict[Address | str, LinkFault]:
        kinds = self._faults.on_the_way(caller)
        return {
            address: LinkFault(address, _on_link(kinds[address[0]]))
            for proxy in proxies
            for address in endpoint_addresses(proxy)
            if address[0] in kinds
        }


def _on_link(kind: str) -> str:
    return "cut" if kind == "partition" else kind


def _target_ports(services: Sequence[Json]) -> dict[int, list[int]]:
    """Of the gateway's Service: target port -> ports."""
    ports: dict[int, list[int]] = {}
    for service in services:
        if service["metadata"]["name"] == INGRESS_GATEWAY and "istio" in labels_of(service):
            for port in service["spec"].get("ports", ()):
                target = port.get("targetPort", port["port"])
                if isinstance(target, int):
                    ports.setdefault(target, []).append(port["port"])
    return ports


def _service_addresses(services: Sequence[Json]) -> dict[str, list[str]]:
    """Full name -> cluster IP; a headless Service has none."""
    return {
        f"{s['metadata']['name']}.{s['metadata']['namespace']}.{CLUSTER_DOMAIN}": [ip]
        for s in services
        if (ip := s["spec"].get("clusterIP", "")) not in ("", "None")
    }


def _lookup(names: dict[str, list[str]], namespace: str, name: str) -> Sequence[str] | None:
    """As a pod of that namespace looks a name up, by its search domains."""
    domains = (f"{namespace}.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN, CLUSTER_DOMAIN.partition(".")[2])
    candidates = (*(f"{name}.{domain}" for domain in domains), name)
    return next((names[c] for c in candidates if c in names), None)
