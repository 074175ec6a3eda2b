"""Hash policies of routes: a destination's consistentHash.

Istio: HashForHTTPDestination and hashForService in core/route/route.go. Unlike other settings of a
cluster, the hash comes from the narrowest policy that has one: a port of the subset, the subset,
the port, the rule. Port settings count only if the destination writes a port.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.model.destination_rule import ConsistentHash, PortTrafficPolicy, TrafficPolicy
from meshproof.translate.proto import Json, seconds
from meshproof.translate.proxy_view import ProxyView


def hash_policies(view: ProxyView, host: str, subset: str, port: int | None) -> Iterator[Json]:
    """The hash policy of a host's DestinationRule, if any. ``port`` is the written one."""
    rule = view.destination_rule(host)
    subset_policy = next((s.traffic_policy for s in rule.subsets if s.name == subset), None)
    for policy in (subset_policy, rule.policy):
        for candidate in (_port_policy(policy, port), policy):
            if candidate and candidate.load_balancer and candidate.load_balancer.consistent_hash:
                yield _hash_policy(candidate.load_balancer.consistent_hash)
                return


def _port_policy(policy: TrafficPolicy | None, port: int | None) -> PortTrafficPolicy | None:
    ports = policy.port_level_settings if policy else ()
    return next((settings for settings in ports if settings.port.number == port), None)


def _hash_policy(rule: ConsistentHash) -> Json:
    if rule.http_header_name is not None:
        return {"header": {"header_name": rule.http_header_name}}
    if rule.http_query_parameter_name is not None:
        return {"query_parameter": {"name": rule.http_query_parameter_name}}
    if rule.http_cookie is None:
        return {"connection_properties": {"source_ip": True}}
    cookie: Json = {"name": rule.http_cookie.name}
    if rule.http_cookie.ttl is not None:
        cookie["ttl"] = seconds(rule.http_cookie.ttl)
    if rule.http_cookie.path is not None:
        cookie["path"] = rule.http_cookie.path
    if rule.http_cookie.attributes:
        cookie["attributes"] = [
            {"name": a.name, "value": a.value} for a in rule.http_cookie.attributes
        ]
    return {"cookie": cookie}
