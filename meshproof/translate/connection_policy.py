"""What a DestinationRule says of a connection itself, rather than of its cluster: fields of Envoy's
TcpProxy.

Istio: core/networkfilter.go and core/tunnelingconfig. Timeouts are those of the rule itself, not of
a subset or a port; a hash of the source's address and a tunnel may be a subset's, which counts only
where it is the one destination.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.model.destination_rule import TrafficPolicy, Tunnel
from meshproof.model.virtual_service_l4 import RouteDestination
from meshproof.translate.destination_rules import HostPolicy
from meshproof.translate.host_names import fqdn
from meshproof.translate.proto import Json, seconds
from meshproof.translate.proxy_view import ProxyView


def connection_policy(view: ProxyView, host: str, subset: str = "") -> Json:
    """Of connections to a host, or to one subset of it."""
    rule = view.destination_rule(host)
    of_subset = next((s.traffic_policy for s in rule.subsets if s.name == subset), None)
    pool = rule.policy and rule.policy.connection_pool
    tcp = pool and pool.tcp
    fields: Json = {}
    if tcp and tcp.idle_timeout:
        fields["idle_timeout"] = seconds(tcp.idle_timeout)
    if tcp and tcp.max_connection_duration:
        fields["max_downstream_connection_duration"] = seconds(tcp.max_connection_duration)
    if _sticks_to_source(rule, of_subset):
        fields["hash_policy"] = [{"source_ip": {}}]
    policy = of_subset if subset else rule.policy
    if policy and policy.tunnel:
        fields["tunneling_config"] = _build_tunnel(policy.tunnel)
    return fields


def route_policy(view: ProxyView, namespace: str, entries: Sequence[RouteDestination]) -> Json:
    """Of connections that a tcp or tls route of ``namespace`` sends on: the first destination's."""
    first = entries[0].destination
    host = view.resolve_alias(fqdn(first.host, namespace))
    return connection_policy(view, host, (first.subset or "") if len(entries) == 1 else "")


def _sticks_to_source(rule: HostPolicy, of_subset: TrafficPolicy | None) -> bool:
    """A subset's load balancer, of any kind, stands in for the rule's."""
    narrow = of_subset and of_subset.load_balancer
    balancer = narrow or (rule.policy and rule.policy.load_balancer)
    hashing = balancer and balancer.consistent_hash
    return bool(hashing and hashing.use_source_ip)


def _build_tunnel(tunnel: Tunnel) -> Json:
    host = f"[{tunnel.target_host}]" if ":" in tunnel.target_host else tunnel.target_host
    return {
        "hostname": f"{host}:{tunnel.target_port}",
        "use_post": tunnel.protocol == "POST",
    }
