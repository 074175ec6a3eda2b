"""Where the rules in force send calls, as shares of workloads: for eyes, not for Envoys. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.mesh import Share
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_route import HTTPMatchRequest, HTTPRouteDestination
from meshproof.translate.host_names import fqdn
from meshproof.translate.world import Named, Service, World


def serving(world: World) -> dict[str, tuple[str, ...]]:
    """A service's full name -> the workloads that its selector finds."""
    return {service.fqdn: _behind(world, service, {}) for service in world.services}


def shares(world: World) -> list[Share]:
    """Of every route with destinations, in the order of the rules; hosts by full name."""
    return [share for rule in world.virtual_services for share in _of_rule(world, rule)]


def _of_rule(world: World, rule: Named[VirtualService]) -> Iterator[Share]:
    hosts = [fqdn(host, rule.namespace) for host in rule.spec.hosts]
    for http in rule.spec.http:
        only = " or ".join(_words(match) for match in http.match)
        total = sum(entry.weight for entry in http.route)
        for entry in http.route:
            whole = len(http.route) == 1
            percent = 100.0 if whole else 100.0 * entry.weight / total if total else 0.0
            service = _service(world, entry, rule.namespace)
            if service is None:
                continue  # lint has said so
            workloads = _behind(world, service, _labels(world, entry, service))
            title = f"VirtualService {rule.namespace}/{rule.name}"
            for host in hosts:
                called = service.fqdn if host == "*" else host
                yield Share(called, service.namespace, workloads, percent, only, title)


def _service(world: World, entry: HTTPRouteDestination, namespace: str) -> Service | None:
    host = fqdn(entry.destination.host, namespace)
    return next((s for s in world.services if s.fqdn == host), None)


def _labels(world: World, entry: HTTPRouteDestination, service: Service) -> Mapping[str, str]:
    """The labels of a destination's subset; none for a destination without, or one unknown."""
    for rule in world.destination_rules:
        if fqdn(rule.spec.host, rule.namespace) == service.fqdn:
            for subset in rule.spec.subsets:
                if subset.name == entry.destination.subset:
                    return subset.labels
    return {}


def _behind(world: World, service: Service, labels: Mapping[str, str]) -> tuple[str, ...]:
    wanted = {**service.selector, **labels}
    found = {
        replica.workload
        for replica in world.replicas
        if replica.namespace == service.namespace
        and service.selector
        and all(replica.labels.get(key) == value for key, value in wanted.items())
    }
    return tuple(sorted(found))


def _words(match: HTTPMatchRequest) -> str:
    """``uri /pay and header end-user``: what is looked at, not every detail."""
    words = []
    if match.uri is not None:
        words.append(f"uri {match.uri.exact or match.uri.prefix or match.uri.regex}")
    words += [f"header {name}" for name in match.headers]
    words += [f"without header {name}" for name in match.without_headers]
    words += [f"query {name}" for name in match.query_params]
    if match.method is not None:
        words.append(f"method {match.method.exact or match.method.prefix or match.method.regex}")
    if match.source_labels or match.source_namespace:
        words.append("some callers")
    return " and ".join(words) or "some calls"
