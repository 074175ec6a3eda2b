"""Where the rules in force send calls, as shares of workloads: for the dashboard and reports. Pure.

Envoys get none of this; ``route_shares`` reads the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.mesh import Share
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_route import HTTPMatchRequest
from meshproof.translate.endpoints import selected_replicas
from meshproof.translate.host_names import fqdn
from meshproof.translate.route_shares import DestinationShare, destination_shares
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named, Service, World


def serving_workloads(world: World) -> dict[str, tuple[str, ...]]:
    """A service's full name -> the workloads that its selector picks."""
    return {service.fqdn: _workloads(world, service, {}) for service in world.services}


def workload_shares(world: World) -> list[Share]:
    """The destinations of every route, in the order of the rules; hosts by full name."""
    return [share for rule in world.virtual_services for share in _of_rule(world, rule)]


def _of_rule(world: World, rule: Named[VirtualService]) -> Iterator[Share]:
    hosts = [fqdn(host, rule.namespace) for host in rule.spec.hosts]
    for http in rule.spec.http:
        condition = " or ".join(_describe_match(match) for match in http.match)
        shares = destination_shares(http.route)
        total = sum(share.weight for share in shares)
        for share in shares:
            percent = 100.0 * share.weight / total if total else 0.0
            service = _service(world, share, rule.namespace)
            if service is None:
                continue  # lint warns of it
            workloads = _workloads(world, service, _labels(world, share, service))
            title = f"VirtualService {rule.namespace}/{rule.name}"
            for host in hosts:
                called = service.fqdn if host == "*" else host
                yield Share(called, service.namespace, workloads, percent, condition, title)


def _service(world: World, share: DestinationShare, namespace: str) -> Service | None:
    host = fqdn(share.host, namespace)
    return next((s for s in world.services if s.fqdn == host), None)


def _labels(world: World, share: DestinationShare, service: Service) -> Mapping[str, str]:
    """The labels of a destination's subset; none without a subset, or for an unknown one."""
    for rule in world.destination_rules:
        if fqdn(rule.spec.host, rule.namespace) == service.fqdn:
            for subset in rule.spec.subsets:
                if subset.name == share.subset:
                    return subset.labels
    return {}


def _workloads(world: World, service: Service, labels: Mapping[str, str]) -> tuple[str, ...]:
    replicas = selected_replicas(service, world.replicas)
    return tuple(sorted({r.workload for r in replicas if has_labels(r.labels, labels)}))


def _describe_match(match: HTTPMatchRequest) -> str:
    """``uri /pay and header end-user``: what is looked at, not every detail."""
    parts = []
    if match.uri is not None:
        parts.append(f"uri {match.uri.exact or match.uri.prefix or match.uri.regex}")
    parts += [f"header {name}" for name in match.headers]
    parts += [f"without header {name}" for name in match.without_headers]
    parts += [f"query {name}" for name in match.query_params]
    if match.method is not None:
        parts.append(f"method {match.method.exact or match.method.prefix or match.method.regex}")
    if match.source_labels or match.source_namespace:
        parts.append("some callers")
    return " and ".join(parts) or "some calls"
