"""The Sidecar resource of a proxy: what it imports, and its outbound traffic policy.

Istio: pilot/pkg/model/sidecar.go. A workload has one: the oldest of its namespace whose selector
matches, else the oldest there without a selector, else the root namespace's without a selector.
Without egress hosts everything is imported. The default outboundTrafficPolicy is the mesh's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from meshproof.istio_names import outbound_cluster
from meshproof.model.sidecar import OutboundTrafficPolicy, Sidecar
from meshproof.translate.host import Host
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named, Proxy

Imports = tuple[tuple[str, str], ...]
"""Pairs of a namespace (``*`` for any) and a host, which may be a wildcard."""
_ALL: Mapping[int | None, Imports] = {None: (("*", "*"),)}


@dataclass(frozen=True, slots=True)
class Scope:
    """``imports`` by port; the key None holds those of every port without its own."""

    imports: Mapping[int | None, Imports] = field(default_factory=lambda: _ALL)
    allow_any: bool = False
    egress_proxy: str = ""
    """The cluster that takes what is for no known host, instead of its own destination."""

    def visible_part(self, host: Host) -> Host | None:
        """A host with the ports that are imported; None without any."""
        if self.imports is _ALL:
            return host
        name, namespace = host.name, host.namespace
        ports = tuple(p for p in host.ports if self.imports_host(name, namespace, p.port))
        if len(ports) < len(host.ports):
            return replace(host, ports=ports) if ports else None
        return host if ports or self.imports_host(name, namespace, None) else None

    def imports_host(self, host: str, namespace: str, port: int | None) -> bool:
        """Whether a host of ``namespace`` would be imported at a port, existing or not."""
        imports = self.imports.get(port, self.imports.get(None, ()))
        return any(covers(name, host) for name in _imported_names(imports, namespace))

    def imports_rule(self, hosts: Iterable[str], namespace: str) -> bool:
        """Whether a VirtualService of ``namespace`` is imported: one of its hosts and an imported
        name overlap."""
        rule_hosts = [fqdn(host, namespace) for host in hosts]
        return any(
            covers(name, host) or covers(host, name)
            for imports in self.imports.values()
            for name in _imported_names(imports, namespace)
            for host in rule_hosts
        )


def _imported_names(imports: Imports, namespace: str) -> Iterator[str]:
    return (name for own, name in imports if own in ("*", namespace))


def governing_sidecar(sidecars: tuple[Named[Sidecar], ...], proxy: Proxy) -> Named[Sidecar] | None:
    """The Sidecar that applies to a proxy; a gateway has none."""
    if proxy.kind == "gateway":
        return None
    without_selector = [s for s in sidecars if s.spec.workload_selector is None]
    candidates = (
        *(s for s in sidecars if s.namespace == proxy.namespace and _selects(s.spec, proxy)),
        *(s for s in without_selector if s.namespace == proxy.namespace),
        *(s for s in without_selector if s.in_root),
    )
    return next(iter(candidates), None)


def _selects(sidecar: Sidecar, proxy: Proxy) -> bool:
    selector = sidecar.workload_selector
    return selector is not None and has_labels(proxy.labels, selector.labels)


def build_scope(
    rule: Named[Sidecar] | None,
    proxy: Proxy,
    mesh_policy: OutboundTrafficPolicy | None = None,
) -> Scope:
    """``rule`` is the Sidecar that governs the proxy, ``mesh_policy`` the mesh's
    outboundTrafficPolicy, which a gateway has not, as in Istio."""
    if rule is None:
        policy = mesh_policy if proxy.kind == "sidecar" else None
        return Scope(allow_any=_allows_any(policy), egress_proxy=_egress_proxy(policy))
    imports: dict[int | None, Imports] = {
        e.port.number if e.port else None: tuple(_parse_imports(e.hosts, proxy.namespace))
        for e in rule.spec.egress
    }
    policy = rule.spec.outbound_traffic_policy or mesh_policy
    return Scope(imports or _ALL, _allows_any(policy), _egress_proxy(policy))


def _allows_any(policy: OutboundTrafficPolicy | None) -> bool:
    return policy is not None and policy.mode == "ALLOW_ANY"


def _egress_proxy(policy: OutboundTrafficPolicy | None) -> str:
    """The name is taken as it is written (GetDestinationCluster without a service)."""
    if policy is None or not _allows_any(policy) or policy.egress_proxy is None:
        return ""
    proxy = policy.egress_proxy
    return outbound_cluster(proxy.port.number if proxy.port else 0, proxy.host, proxy.subset or "")


def _parse_imports(hosts: Iterable[str], namespace: str) -> Iterator[tuple[str, str]]:
    for entry in hosts:
        scope, _, host = entry.partition("/")
        if scope != "~":
            yield namespace if scope == "." else scope, host
