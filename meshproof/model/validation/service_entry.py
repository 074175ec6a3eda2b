"""ServiceEntry, WorkloadEntry and WorkloadGroup, as the webhook's functions of these names judge
them."""

from __future__ import annotations

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.headers import STRICT_NAME
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import (
    PROTOCOLS,
    UNIX,
    check_export_to,
    check_labels,
    check_port,
    check_selector,
    dns_label,
    fqdn,
    partial_wildcard,
    protocol,
    protocol_family,
    subnet,
    unix_address,
    wildcard_domain,
)

_AUTO_ALLOCATION = "networking.istio.io/enable-autoallocate-ip"
PORT_NAME = "letters, digits and inner hyphens"


def check_service_entry(document: Node) -> Violations:
    spec, metadata = document.get("spec"), document.get("metadata")
    yield from _check_selector(spec)
    resolution = spec.get("resolution").text or "NONE"
    yield from _check_hosts(spec, resolution)
    yield from _check_addresses(spec, resolution)
    auto = metadata.get("labels", _AUTO_ALLOCATION).text != "false" and resolution != "NONE"
    yield from _check_ports(spec, allocated=auto)
    yield from _check_endpoints(spec, resolution)
    if resolution == "DYNAMIC_DNS":
        yield from _check_dynamic(spec)
    families = {protocol_family(port.get("protocol").text) for port in spec.items("ports")}
    if resolution != "NONE" and len(spec.items("hosts")) > 1 and families - {"http", "tls"}:
        yield spec.get("hosts").refuse(
            "are several, and a TCP connection says not which it is for",
            "one host, or ports of HTTP, HTTPS or TLS",
            "write a ServiceEntry for each host",
        )
    yield from check_export_to(spec, namespace=metadata.get("namespace").text, may_hide=True)


def _check_selector(spec: Node) -> Violations:
    selector = spec.get("workloadSelector")
    yield from check_selector(selector.get("labels"))
    if not selector.is_set:
        return
    if not selector.entries("labels"):
        yield selector.warn("selects every workload of the namespace", "labels")
    if spec.has("endpoints"):
        yield selector.refuse("is set beside endpoints", "one of them")
    if (spec.get("resolution").text or "NONE") == "NONE":
        yield selector.warn("has no effect with resolution NONE", "STATIC or DNS")


def _check_hosts(spec: Node, resolution: str) -> Violations:
    hosts = spec.items("hosts")
    if not hosts:
        yield spec.get("hosts").refuse("is empty", "at least one host")
    by_name = resolution in ("DNS", "DNS_ROUND_ROBIN") and not spec.items("endpoints")
    for host in hosts:
        if host.text == "*":
            yield host.refuse("* is every host", "a name or *.suffix")
            continue
        yield from host.check(wildcard_domain, "a DNS name or *.suffix")
        if resolution != "DYNAMIC_DNS" and (problem := partial_wildcard(host.text)):
            yield host.warn(problem, "*.suffix")
        if by_name and fqdn(host.text) and not wildcard_domain(host.text):
            yield host.refuse(
                f"{host.text} cannot be resolved", "a name, endpoints, or resolution NONE"
            )


def _check_addresses(spec: Node, resolution: str) -> Violations:
    for address in spec.items("addresses"):
        yield from address.check(subnet, "10.1.2.3 or 10.1.0.0/16")
        if "/" in address.text and resolution not in ("NONE", "STATIC"):
            yield address.refuse(
                f"{address.text} is a range, and resolution is {resolution}", "NONE or STATIC"
            )


def _check_ports(spec: Node, *, allocated: bool) -> Violations:
    names: set[str] = set()
    numbers: set[float] = set()
    for port in spec.items("ports"):
        name, number, target = port.get("name"), port.get("number"), port.get("targetPort")
        if name.text and name.text in names:
            yield name.refuse(f"{name.text} names two ports", "a name of its own")
        if number.number in numbers:
            yield number.refuse(f"{number.number:g} is declared twice", "each number once")
        names.add(name.text)
        numbers.add(number.number)
        if name.text:
            yield from name.check(dns_label, PORT_NAME)
        else:
            yield name.refuse("is missing" if not name.is_set else "is empty", PORT_NAME)
        yield from port.get("protocol").check(protocol, PROTOCOLS)
        yield from check_port(number)
        yield from check_port(target, optional=True)
        plain = port.get("protocol").text in ("", "TCP")
        if plain and not spec.items("addresses") and not allocated:
            yield port.warn(
                "is TCP without addresses, and no address is allocated: connections to any "
                "address on this port are taken for it",
                "addresses, or a resolution other than NONE",
            )


def _check_endpoints(spec: Node, resolution: str) -> Violations:
    endpoints = spec.items("endpoints")
    if spec.has("endpoints") and resolution == "NONE":
        yield spec.get("endpoints").refuse("is set, and resolution is NONE", "STATIC or DNS")
    if len(endpoints) > 1 and resolution == "DNS_ROUND_ROBIN":
        yield spec.get("endpoints").refuse("are more than one for DNS_ROUND_ROBIN", "one")
    ports = {port.get("name").text for port in spec.items("ports")}
    for endpoint in endpoints:
        yield from _check_workload(endpoint, named=resolution != "STATIC")
        for name, number in endpoint.entries("ports"):
            if name not in ports:
                yield number.refuse(
                    f"{name} is no port of this ServiceEntry",
                    f"one of {', '.join(sorted(ports))}" if ports else "a port of ports",
                )
        is_socket = endpoint.get("address").text.startswith(UNIX)
        if is_socket and resolution in ("DNS", "DNS_ROUND_ROBIN"):
            yield endpoint.get("address").refuse(
                f"is a socket, and resolution is {resolution}", "a name, or resolution STATIC"
            )
        if resolution == "STATIC" and is_socket and len(ports) != 1:
            yield endpoint.get("address").refuse(
                f"is a socket, which serves one port, and there are {len(ports)}", "one port"
            )


def _check_dynamic(spec: Node) -> Violations:
    """``DYNAMIC_DNS`` is for waypoints and ztunnel: wildcards of HTTP and TLS outside the mesh."""
    for host in spec.items("hosts"):
        if not host.text.startswith("*"):
            yield host.refuse(f"{host.text} is no wildcard, and resolution is DYNAMIC_DNS", "*.X")
    for name in ("addresses", "endpoints"):
        if spec.items(name):
            yield spec.get(name).refuse("is set, and resolution is DYNAMIC_DNS", "none")
    for port in spec.items("ports"):
        family = port.get("protocol")
        if family.text.lower() not in ("http", "tls"):
            yield family.refuse("is neither HTTP nor TLS, as DYNAMIC_DNS needs", "HTTP or TLS")
    if spec.get("location").text == "MESH_INTERNAL":
        yield spec.get("location").refuse("is inside the mesh", "MESH_EXTERNAL")


def check_workload_entry(document: Node) -> Violations:
    yield from _check_workload(document.get("spec"), named=True)


def _check_workload(entry: Node, *, named: bool) -> Violations:
    """``validateWorkloadEntry``; ``named``: whether the address may be a DNS name."""
    address, network = entry.get("address"), entry.get("network")
    if not address.text:
        if not network.text:
            yield address.refuse("is missing", "an address", "or name its network")
            return
        yield address.warn(f'is missing; the network "{network.text}" alone leads there', "one")
    elif address.text.startswith(UNIX):
        if problem := unix_address(address.text.removeprefix(UNIX)):
            yield address.refuse(problem, "unix:///PATH or unix://@NAME")
        if entry.has("ports"):
            yield entry.get("ports").refuse("is set beside a socket's address", "none")
    elif not is_ip(address.text) and (not named or fqdn(address.text)):
        yield address.refuse(
            f'"{short(address.text)}" is not an address',
            "an IP address or a DNS name" if named else "an IP address, for resolution is STATIC",
            "" if named else "write resolution: DNS",
        )
    for name, number in entry.entries("ports"):
        if problem := dns_label(name):
            yield number.refuse(f"the port's name {problem}", PORT_NAME)
        yield from check_port(number)
    yield from check_labels(entry.get("labels"))


def check_workload_group(document: Node) -> Violations:
    """``ValidateWorkloadGroup``."""
    spec = document.get("spec")
    if not spec.has("template"):
        yield spec.get("template").refuse("is missing", "a template")
    yield from check_labels(spec.get("metadata", "labels"))
    address = spec.get("template", "address").text
    if address.startswith(UNIX):
        if problem := unix_address(address.removeprefix(UNIX)):
            yield spec.get("template", "address").refuse(problem, "unix:///PATH or unix://@NAME")
        if spec.has("template") and spec.get("template").has("ports"):
            yield spec.get("template", "ports").refuse("is set beside a socket's address", "none")
    for name, number in spec.get("template").entries("ports"):
        if problem := dns_label(name):
            yield number.refuse(f"the port's name {problem}", PORT_NAME)
        yield from check_port(number)
    yield from _check_probe(spec.get("probe"))


def _check_probe(probe: Node) -> Violations:
    """``validateReadinessProbe``."""
    if not probe.is_set:
        return
    for name, value in probe.entries():
        if value.number < 0:
            yield value.refuse(f"{name} is negative", "0 or more")
    methods = probe.which("httpGet", "tcpSocket", "exec", "grpc")
    if len(methods) != 1 or methods == ["grpc"]:
        yield probe.refuse(
            f"has {' and '.join(methods) or 'no method'}", "one of httpGet, tcpSocket, exec"
        )
    for method in ("httpGet", "tcpSocket"):
        if probe.has(method):
            yield from check_port(probe.get(method, "port"))
    scheme = probe.get("httpGet", "scheme")
    if scheme.text not in ("", "HTTP", "HTTPS"):
        yield scheme.refuse(f'is "{scheme.text}"', "HTTP or HTTPS")
    for header in probe.get("httpGet").items("httpHeaders"):
        if not STRICT_NAME.fullmatch(header.get("name").text):
            yield header.get("name").refuse("is not the name of a header", "letters, digits and -")
    if probe.has("exec") and not probe.get("exec").items("command"):
        yield probe.get("exec", "command").refuse("is empty", "a command")
