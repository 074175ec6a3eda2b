"""Which Sidecar rules a proxy, what it may know by that, and what else it lets out.

Istio: pilot/pkg/model/sidecar.go. One a workload: the oldest of its namespace whose selector picks
it, else the oldest there without a selector, else the root namespace's without a selector. Without
egress hosts all are known. Without an outboundTrafficPolicy the mesh's own holds: REGISTRY_ONLY.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.model.sidecar import Sidecar
from meshproof.translate.names import covers, fqdn
from meshproof.translate.registry import Host, carries
from meshproof.translate.world import ROOT_NAMESPACE, Named, Proxy

_EVERYTHING = (("*", "*"),)


@dataclass(frozen=True, slots=True)
class Scope:
    """``imports`` are pairs of a namespace (``*`` is any) and a host, which may be a wildcard."""

    imports: tuple[tuple[str, str], ...] = _EVERYTHING
    allow_any: bool = False

    def knows(self, host: Host) -> bool:
        """Whether a service is imported."""
        if self.imports == _EVERYTHING:
            return True
        return any(covers(name, host.name) for name in self._names(host.namespace))

    def takes(self, hosts: Iterable[str], namespace: str) -> bool:
        """Whether a VirtualService of ``namespace`` is imported: one of its hosts and an imported
        name meet."""
        if self.imports == _EVERYTHING:
            return True
        written = [fqdn(host, namespace) for host in hosts]
        return any(
            covers(name, host) or covers(host, name)
            for name in self._names(namespace)
            for host in written
        )

    def _names(self, namespace: str) -> Iterator[str]:
        return (name for where, name in self.imports if where in ("*", namespace))


def ruling(sidecars: tuple[Named[Sidecar], ...], proxy: Proxy) -> Named[Sidecar] | None:
    """The Sidecar of a proxy; a gateway has none."""
    if proxy.kind == "gateway":
        return None
    bare = [s for s in sidecars if s.spec.workload_selector is None]
    candidates = (
        *(s for s in sidecars if s.namespace == proxy.namespace and _picks(s.spec, proxy)),
        *(s for s in bare if s.namespace == proxy.namespace),
        *(s for s in bare if s.namespace == ROOT_NAMESPACE),
    )
    return next(iter(candidates), None)


def _picks(sidecar: Sidecar, proxy: Proxy) -> bool:
    selector = sidecar.workload_selector
    return selector is not None and carries(proxy.labels, selector.labels)


def scope_of(sidecars: tuple[Named[Sidecar], ...], proxy: Proxy) -> Scope:
    rule = ruling(sidecars, proxy)
    if rule is None:
        return Scope()
    written = [host.partition("/") for e in rule.spec.egress for host in e.hosts]
    imports = tuple(
        (proxy.namespace if where == "." else where, host)
        for where, _, host in written
        if where != "~"
    )
    policy = rule.spec.outbound_traffic_policy
    return Scope(
        imports if rule.spec.egress else _EVERYTHING,
        policy is not None and policy.mode == "ALLOW_ANY",
    )
