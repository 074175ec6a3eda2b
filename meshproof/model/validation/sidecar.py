"""Sidecar, as ``ValidateSidecar`` judges it."""

from __future__ import annotations

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.destination_rule import check_connection_pool
from meshproof.model.validation.gateway import check_namespaced_host, check_server_tls
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.routes import check_destination
from meshproof.model.validation.service_entry import PORT_NAME
from meshproof.model.validation.values import (
    PROTOCOLS,
    UNIX,
    check_port,
    check_selector,
    dns_label,
    fqdn,
    protocol,
    protocol_family,
    unix_address,
)

_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104  (compared, not bound)
_NOT_IN_INGRESS = (
    *("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames"),
    "tlsCertificates",
)
_PARTS = ("egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool")


def check_sidecar(document: Node) -> Violations:
    spec, namespace = document.get("spec"), document.get("metadata", "namespace").text
    selector = spec.get("workloadSelector")
    yield from check_selector(selector.get("labels"))
    if selector.is_set and not selector.entries("labels"):
        yield selector.warn("selects every workload of the namespace", "labels, or no selector")
    filled = spec.items("egress") or spec.items("ingress")
    if not filled and not spec.has("outboundTrafficPolicy", "inboundConnectionPool"):
        yield spec.refuse("is empty", f"one of {', '.join(_PARTS)}")
    ports: set[float] = set()
    for listener in spec.items("ingress"):
        yield from _check_ingress(listener, ports)
    yield from check_connection_pool(spec.get("inboundConnectionPool"))
    yield from _check_egress(spec)
    for listener in spec.items("egress"):
        yield from _check_hosts(listener, namespace)
    yield from _check_outbound_policy(spec.get("outboundTrafficPolicy"))


def _check_ingress(listener: Node, ports: set[float]) -> Violations:
    port = listener.get("port")
    if not port.is_set:
        yield port.refuse("is missing", "number, protocol and name")
        return
    yield from _check_port(port)
    yield from check_port(port.get("number"))
    number = port.get("number").number
    if number in ports:
        yield port.get("number").refuse(f"{number:g} is served twice", "each port once")
    ports.add(number)
    yield from _check_address(listener.get("bind"))
    yield from _check_endpoint(listener.get("defaultEndpoint"))
    family = protocol_family(port.get("protocol").text)
    tls, pool = listener.get("tls"), listener.get("connectionPool")
    if tls.is_set:
        for name in _NOT_IN_INGRESS:
            if tls.get(name).value not in (None, "", False, []):
                yield tls.get(name).refuse("is not for a Sidecar's ingress", "files")
        if tls.get("mode").text in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
            yield tls.get("mode").refuse(f"is {tls.get('mode').text}", "SIMPLE or MUTUAL")
        if family != "tls":
            yield tls.refuse("is set, but the port's protocol has no TLS", "HTTPS or TLS")
        yield from check_server_tls(tls)
    yield from check_connection_pool(pool)
    if pool.has("http") and family != "http":
        yield pool.get("http").warn("has no effect: the port's protocol is not HTTP", "tcp alone")


def _check_port(port: Node) -> Violations:
    if port.get("targetPort").number > 0:
        yield port.get("targetPort").refuse("has no effect in a Sidecar", "none")
    if port.get("name").text:
        yield from port.get("name").check(dns_label, PORT_NAME)
    yield from port.get("protocol").check(protocol, PROTOCOLS)


def _check_address(bind: Node) -> Violations:
    if bind.text and not is_ip(bind.text):
        yield bind.refuse(f'"{short(bind.text)}" is not an IP address', "an address")


def _check_endpoint(endpoint: Node) -> Violations:
    text = endpoint.text
    if not text:
        return
    if text.startswith(UNIX):
        if problem := unix_address(text.removeprefix(UNIX)):
            yield endpoint.refuse(problem, "unix:///PATH or unix://@NAME")
        return
    host, _, port = text.rpartition(":")
    is_local = host.removeprefix("[").removesuffix("]") in _LOCAL
    if not (is_local and port.isdigit() and 1 <= int(port) <= 65535):
        yield endpoint.refuse(
            f'"{short(text)}" is no endpoint of this pod',
            "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix://PATH",
        )


def _check_egress(spec: Node) -> Violations:
    """``validateSidecarEgressPortBindAndCaptureMode``, and that each listener is another."""
    listeners = spec.items("egress")
    ports: set[float] = set()
    sockets: set[str] = set()
    for index, listener in enumerate(listeners):
        port, bind, mode = (listener.get(n) for n in ("port", "bind", "captureMode"))
        if not port.is_set:
            if index < len(listeners) - 1:
                yield listener.refuse(
                    "has no port and is not the last", "a port", "move it to the end"
                )
            continue
        yield from _check_port(port)
        number = port.get("number").number
        if number:
            yield from check_port(port.get("number"))
            yield from _check_address(bind)
            if number in ports:
                yield port.refuse(f"{number:g} has a listener already", "each port once")
            ports.add(number)
            continue
        if not bind.text.startswith(UNIX):
            yield port.get("number").refuse("is 0 or missing", "a port, or a socket in bind")
        elif problem := unix_address(bind.text.removeprefix(UNIX)):
            yield bind.refuse(problem, "unix:///PATH or unix://@NAME")
        if mode.text not in ("", "DEFAULT", "NONE"):
            yield mode.refuse(f"is {mode.text}, and bind is a socket", "DEFAULT or NONE")
        if bind.text in sockets:
            yield bind.refuse("has a listener already", "each socket once")
        sockets.add(bind.text)


def _check_hosts(listener: Node, namespace: str) -> Violations:
    hosts = listener.items("hosts")
    if not hosts:
        yield listener.get("hosts").refuse("is empty", "at least one host")
    earlier: dict[str, set[str]] = {}
    for host in hosts:
        yield from check_namespaced_host(host, at_gateway=False)
        space, _, name = host.text.partition("/")
        names = earlier.setdefault(namespace if space == "." else space, set())
        if name in names or "*" in names or (name == "*" and names):
            yield host.warn(f"{host.text} is covered by another of hosts, or covers it", "one")
        names.add(name)
    if "*" in earlier.get("*", ()) and len(earlier) > 1:
        yield listener.get("hosts").warn("has */*, which covers all the others", "it alone")


def _check_outbound_policy(policy: Node) -> Violations:
    """``validateSidecarOutboundTrafficPolicy``."""
    proxy = policy.get("egressProxy")
    if not proxy.is_set:
        return
    if policy.get("mode").text != "ALLOW_ANY":
        yield proxy.refuse("is set, and mode is not ALLOW_ANY", "mode: ALLOW_ANY")
        return
    yield from proxy.get("host").check(fqdn, "a DNS name")
    if not proxy.has("port"):
        yield proxy.get("port").refuse("is missing", "number: PORT")
    yield from check_destination(proxy)
