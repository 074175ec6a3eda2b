"""What of a proxy its outbound configuration depends on, so that equal proxies share one."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.memo import Memo
from meshproof.model.locality import locality_of_proxy
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import L4MatchAttributes
from meshproof.model.virtual_service_route import HTTPMatchRequest
from meshproof.translate.locality_balancing import preferring_labels
from meshproof.translate.sidecar_scope import governing_sidecar
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Proxy, World


def outbound_scope(world: World, proxy: Proxy) -> tuple[object, ...]:
    """Proxies with equal scopes get equal outbound configuration.

    A sidecar's kind and namespace, its Sidecar resource and ProxyConfig, those sourceLabels and
    workloadSelectors of the rules that it carries, its place, and what it has of the labels by
    which clients prefer endpoints. A gateway's labels, by which Gateways select it.
    All relays are equal.
    """
    config = world.proxy_configs.get((proxy.namespace, proxy.workload))
    if proxy.kind == "gateway":
        return (proxy.kind, proxy.namespace, tuple(sorted(proxy.labels.items())))
    if proxy.kind == "relay":
        return (proxy.kind,)
    rules = world.virtual_services, world.destination_rules
    selectors = _memo.get(rules, lambda: _selectors(world))
    matching = tuple(sorted(s for s in selectors if has_labels(proxy.labels, dict(s))))
    sidecar = governing_sidecar(world.sidecars, proxy)
    own = sidecar and (sidecar.namespace, sidecar.name)
    preferring = _preferring.get(
        (world.destination_rules, world.mesh), lambda: preferring_labels(world)
    )
    place = locality_of_proxy(proxy.labels)
    labels = tuple((name, proxy.labels[name]) for name in preferring if name in proxy.labels)
    settings = config and config.model_dump_json()
    return (proxy.kind, proxy.namespace, matching, own, settings, place, labels)


Selector = tuple[tuple[str, str], ...]
_memo: Memo[frozenset[Selector]] = Memo()
_preferring: Memo[tuple[str, ...]] = Memo()


def _selectors(world: World) -> frozenset[Selector]:
    """Labels of clients that any rule distinguishes."""
    of_sources = (
        tuple(sorted(match.source_labels.items()))
        for rule in world.virtual_services
        for match in _matches(rule.spec)
        if match.source_labels
    )
    of_clients = (
        tuple(sorted(rule.spec.workload_selector.match_labels.items()))
        for rule in world.destination_rules
        if rule.spec.workload_selector
    )
    return frozenset((*of_sources, *of_clients))


def _matches(spec: VirtualService) -> Iterator[HTTPMatchRequest | L4MatchAttributes]:
    for http in spec.http:
        yield from http.match
    for tls in spec.tls:
        yield from tls.match
    for tcp in spec.tcp:
        yield from tcp.match
