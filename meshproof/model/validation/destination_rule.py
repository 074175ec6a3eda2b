"""DestinationRule, as ``ValidateDestinationRule`` judges it."""

from __future__ import annotations

from meshproof.model.string_types import is_ip
from meshproof.model.validation.load_balancer import check_load_balancer
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.routes import check_subset_name
from meshproof.model.validation.values import (
    check_durations,
    check_export_to,
    check_labels,
    check_port,
    check_selector,
    fqdn,
    is_below_a_millisecond,
    wildcard_domain,
)

_POLICY = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_WHOLE_POLICY = (*_POLICY, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")


def check_destination_rule(document: Node) -> Violations:
    spec, namespace = document.get("spec"), document.get("metadata", "namespace").text
    yield from spec.get("host").check(wildcard_domain, "the name of a service, or *.suffix")
    yield from _check_traffic_policy(spec.get("trafficPolicy"))
    names: set[str] = set()
    for subset in spec.items("subsets"):
        name = subset.get("name")
        if name.text in names:
            yield name.refuse(f"{name.text} is declared twice", "one of each name")
        names.add(name.text)
        yield from check_subset_name(name)
        yield from check_labels(subset.get("labels"))
        yield from _check_traffic_policy(subset.get("trafficPolicy"))
    selects = spec.has("workloadSelector")
    yield from check_export_to(spec, namespace=namespace, may_hide=False, selects=selects)
    yield from check_selector(spec.get("workloadSelector", "matchLabels"))


def _check_traffic_policy(policy: Node) -> Violations:
    """``validateTrafficPolicy``."""
    if not policy.is_set:
        return
    if not policy.has(*_WHOLE_POLICY):
        yield policy.refuse("is empty", f"one of {', '.join(_WHOLE_POLICY)}", "leave it out")
    if policy.has("tunnel") and policy.has("proxyProtocol"):
        yield policy.get("proxyProtocol").refuse("is set beside tunnel", "one of them")
    yield from _check_parts(policy)
    for part in policy.items("portLevelSettings"):
        if not part.has("port"):
            yield part.get("port").refuse("is missing", "number: PORT")
        if not part.has(*_POLICY):
            yield part.refuse("says nothing of its port", f"one of {', '.join(_POLICY)}")
        yield from _check_parts(part)
    tunnel = policy.get("tunnel")
    if tunnel.is_set:
        yield from _check_tunnel(tunnel)


def _check_parts(policy: Node) -> Violations:
    yield from _check_outlier_detection(policy.get("outlierDetection"))
    yield from check_connection_pool(policy.get("connectionPool"))
    outlier = policy.has("outlierDetection")
    yield from check_load_balancer(policy.get("loadBalancer"), has_outlier_detection=outlier)
    yield from _check_tls(policy.get("tls"))


def _check_tunnel(tunnel: Node) -> Violations:
    """``validateTunnelSettings``."""
    protocol, host = tunnel.get("protocol"), tunnel.get("targetHost")
    if protocol.text not in ("", "CONNECT", "POST"):
        yield protocol.refuse(f'is "{protocol.text}"', "CONNECT or POST")
    if not is_ip(host.text) and (problem := fqdn(host.text)):
        yield host.refuse(problem, "a DNS name or an address")
    yield from check_port(tunnel.get("targetPort"))


def _check_outlier_detection(outlier: Node) -> Violations:
    """``validateOutlierDetection``."""
    yield from check_durations(outlier, "baseEjectionTime", "interval")
    errors, local = outlier.get("consecutiveErrors"), outlier.get("consecutiveLocalOriginFailures")
    if errors.number:
        yield errors.warn(
            "is deprecated, and Istio ignores it",
            "consecutive5xxErrors or consecutiveGatewayErrors",
        )
    if local.number > 0 and not outlier.get("splitExternalLocalOriginErrors").flag:
        yield local.refuse(
            "counts nothing without splitExternalLocalOriginErrors",
            "splitExternalLocalOriginErrors: true beside it",
        )
    for name in ("maxEjectionPercent", "minHealthPercent"):
        if not 0 <= outlier.get(name).number <= 100:
            yield outlier.get(name).refuse(f"is {outlier.get(name).number:g}", "0 to 100")


def check_connection_pool(pool: Node) -> Violations:
    """``validateConnectionPool``, of DestinationRules and Sidecars."""
    if not pool.is_set:
        return
    if not pool.has("tcp", "http"):
        yield pool.refuse("is empty", "tcp, http, or both", "leave it out")
    http, tcp = pool.get("http"), pool.get("tcp")
    for part in (http, tcp):
        for _, setting in part.entries():
            if setting.number < 0:
                yield setting.refuse("is negative", "0 or more")
    yield from check_durations(http, "idleTimeout")
    client = http.get("useClientProtocol")
    if client.flag and http.get("h2UpgradePolicy").text == "UPGRADE":
        yield client.refuse("is set beside h2UpgradePolicy: UPGRADE", "one of them")
    yield from check_durations(tcp, "connectTimeout", "maxConnectionDuration")
    yield from check_durations(tcp.get("tcpKeepalive"), "time", "interval")
    if not is_below_a_millisecond(tcp.get("idleTimeout").text):  # that turns the timeout off
        yield from check_durations(tcp, "idleTimeout")


def _check_tls(tls: Node) -> Violations:
    """``ValidateTLS``."""
    mode, credential = tls.get("mode").text, tls.get("credentialName").text
    if tls.get("insecureSkipVerify").flag:
        moot = tls.which("subjectAltNames") if mode in ("SIMPLE", "MUTUAL") else []
        if mode in ("SIMPLE", "MUTUAL") and tls.get("caCertificates").text:
            moot.append("caCertificates")
        if mode == "SIMPLE" and credential:
            moot.append("credentialName")
        for name in moot:
            yield tls.get(name).refuse(
                "verifies the server, which insecureSkipVerify turns off", "one of them"
            )
    if mode in ("SIMPLE", "MUTUAL") and credential:
        for name in ("clientCertificate", "privateKey", "caCertificates", "caCrl"):
            if tls.get(name).text:
                yield tls.get(name).refuse("is set beside credentialName", "one of them")
    elif mode == "MUTUAL":
        for name in ("clientCertificate", "privateKey"):
            if not tls.get(name).text:
                yield tls.get(name).refuse("is missing, and mode is MUTUAL", "a file's path")
