"""Gateway, as ``ValidateGateway`` judges it."""

from __future__ import annotations

from collections import Counter

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import (
    PROTOCOLS,
    UNIX,
    check_port,
    is_dns_label,
    partial_wildcard,
    protocol_family,
    unix_address,
    wildcard_domain,
)

_SEMANTICS = "internal.istio.io/gateway-semantics"
"""Set on what istiod made of the Gateway API's gateways."""
_CIPHERS = frozenset(
    f"{exchange}{rest}"
    for exchange in ("ECDHE-ECDSA-", "ECDHE-RSA-", "")
    for rest in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA")
) | {"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "DES-CBC3-SHA"}
_SOURCES = ("credentialName", "credentialNames", "tlsCertificates")
_FILES = ("serverCertificate", "privateKey", "caCertificates")
_TERMINATING = ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")


def check_gateway(document: Node) -> Violations:
    metadata, spec = document.get("metadata"), document.get("spec")
    of_gateway_api = metadata.get("annotations", _SEMANTICS).text == "gateway"
    name = metadata.get("name")
    if name.text and not is_dns_label(name.text) and not of_gateway_api:
        yield name.refuse(
            f'"{short(name.text)}" is not one DNS label', "a name without dots", "rename it"
        )
    servers = spec.items("servers")
    if not servers:
        yield spec.get("servers").refuse("is empty", "at least one server")
    names: set[str] = set()
    for server in servers:
        yield from _check_server(server, of_gateway_api=of_gateway_api)
        port = server.get("port")
        port_name = port.get("name").text
        if port_name and port_name in names:
            yield port.get("name").refuse(
                f"{port_name} names two ports of this Gateway", "a name of its own"
            )
        names.add(port_name)
        redirect = server.get("tls", "httpsRedirect")
        if redirect.flag and protocol_family(port.get("protocol").text) != "http":
            yield redirect.warn("is for HTTP servers", "protocol: HTTP, or no httpsRedirect")


def _check_server(server: Node, *, of_gateway_api: bool) -> Violations:
    """``validateServer``."""
    if not server.items("hosts"):
        yield server.get("hosts").refuse("is empty", "at least one host")
    for host in server.items("hosts"):
        yield from check_namespaced_host(host, at_gateway=True, may_hide=of_gateway_api)
    port, bind, tls = server.get("port"), server.get("bind"), server.get("tls")
    yield from _check_server_port(port, bind)
    yield from _check_bind(port, bind)
    yield from check_server_tls(tls)
    family = protocol_family(port.get("protocol").text)
    if family == "tls" and not tls.is_set:
        yield tls.refuse(f"is missing, and the protocol is {port.get('protocol').text}", "a mode")
    elif family == "http" and tls.is_set:
        mode = tls.get("mode").text or "PASSTHROUGH"
        files = any(tls.get(name).text for name in _FILES)
        if files or mode not in ("PASSTHROUGH", "AUTO_PASSTHROUGH"):
            yield tls.refuse(
                "terminates TLS, but the port's protocol is plain HTTP",
                "protocol: HTTPS, or httpsRedirect alone",
            )
    elif family == "other" and tls.is_set:
        yield tls.refuse("is set, but the port's protocol has no TLS", "protocol: TLS or HTTPS")


def _check_server_port(port: Node, bind: Node) -> Violations:
    """``validateServerPort``."""
    if not port.is_set:
        yield port.refuse("is missing", "number, protocol and name")
        return
    protocol = port.get("protocol")
    if not protocol_family(protocol.text):
        message = f'"{protocol.text}" is not a protocol' if protocol.is_set else "is missing"
        yield protocol.refuse(message, PROTOCOLS)
    if port.get("number").number > 0 or not bind.text.startswith(UNIX):
        yield from check_port(port.get("number"))
    if port.get("targetPort").number > 0:
        yield port.get("targetPort").refuse("has no effect in a Gateway", "none")
    if not port.get("name").text:
        yield port.get("name").refuse("is missing", "the port's name", "such as name: http")


def _check_bind(port: Node, bind: Node) -> Violations:
    """``validateServerBind``."""
    if bind.text.startswith(UNIX):
        if problem := unix_address(bind.text.removeprefix(UNIX)):
            yield bind.refuse(problem, "unix:///PATH or unix://@NAME")
        if port.get("number").number:
            yield port.get("number").refuse("is set beside a socket's path in bind", "0")
    elif bind.text and not is_ip(bind.text):
        yield bind.refuse(f'"{short(bind.text)}" is not an IP address', "an address")


def check_namespaced_host(host: Node, *, at_gateway: bool, may_hide: bool = False) -> Violations:
    """``ValidateNamespaceSlashWildcardHostname``, of Gateways and of Sidecars."""
    namespace, slash, name = host.text.partition("/")
    if not slash:
        namespace, name = "", host.text
    expected = "a full name, *.suffix or *, after NAMESPACE/" + (" if you like" * at_gateway)
    if not slash and not at_gateway:
        yield host.refuse(f'"{short(host.text)}" has no namespace', expected)
        return
    if slash and not (namespace and name):
        yield host.refuse(f'"{short(host.text)}" has an empty part', expected)
        return
    allowed = ("*", ".") if at_gateway and not may_hide else ("*", ".", "~")
    if slash and namespace not in allowed and not is_dns_label(namespace):
        yield host.refuse(f'"{short(namespace)}" is not a namespace here', "NAMESPACE, . or *")
    if name != "*" and "." not in name:
        yield host.refuse(
            f'"{short(name)}" is a short name',
            expected,
            f"such as {name}.NAMESPACE.svc.cluster.local",
        )
    elif (problem := partial_wildcard(name)) or (
        (problem := wildcard_domain(name)) and not (at_gateway and is_ip(name))
    ):
        yield host.refuse(problem, expected)


def check_server_tls(tls: Node) -> Violations:
    """``validateTLSOptions``, of Gateways and of a Sidecar's ingress; unset, the mode is
    PASSTHROUGH."""
    if not tls.is_set:
        return
    mode = tls.get("mode").text or "PASSTHROUGH"
    yield from _warn_of_ciphers(tls)
    certificates = [name for name in _SOURCES if tls.get(name).value not in (None, "", [])]
    sources = [*certificates, *(name for name in _FILES if tls.get(name).text)]
    if mode == "ISTIO_MUTUAL":
        for name in sources:
            yield tls.get(name).refuse(
                "is set, and ISTIO_MUTUAL uses the mesh's own certificate", "none"
            )
        return
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH"):
        for name in (*sources, *tls.which("caCrl")):
            yield tls.get(name).warn(f"is ignored: mode is {mode}", "SIMPLE or MUTUAL")
    if tls.get("serverCertificate").text and tls.get("privateKey").text:
        certificates.append("serverCertificate")
    if len(certificates) > 1:
        yield tls.get("mode").refuse(f"has {' and '.join(certificates)}", "one certificate source")
    by_secret = "credentialName" in certificates or "credentialNames" in certificates
    if mode in _TERMINATING:
        if by_secret:
            return
        yield from _check_files(tls, mode)
    crl = tls.get("caCrl")
    if crl.text and "credentialName" in certificates:
        yield crl.refuse("is set beside credentialName", "the list in the Secret")
    if crl.text and mode == "SIMPLE":
        yield crl.refuse("is for clients' certificates, and SIMPLE asks for none", "MUTUAL")


def _check_files(tls: Node, mode: str) -> Violations:
    """A server that terminates TLS by files needs all of them."""
    if mode != "SIMPLE" and not tls.get("caCertificates").text:
        yield tls.get("mode").refuse(
            f"is {mode} without caCertificates", "the authorities of clients"
        )
    for certificate in tls.items("tlsCertificates") or [tls]:
        missing = [n for n in ("serverCertificate", "privateKey") if not certificate.get(n).text]
        if missing:
            yield tls.get("mode").refuse(
                f"is {mode} without credentialName or {missing[0]}",
                "credentialName: SECRET, or the paths of files",
            )


def _warn_of_ciphers(tls: Node) -> Violations:
    suites = tls.items("cipherSuites")
    version = tls.get("minProtocolVersion")
    if version.text in ("TLSV1_0", "TLSV1_1") and not suites:
        yield version.warn("has no cipher left that old clients know", "cipherSuites beside it")
    counts = Counter(suite.text for suite in suites)
    for suite in suites:
        text = suite.text
        if text not in ("", "ALL") and text[0].isalnum() and text not in _CIPHERS:
            yield suite.warn(f"{text} is no cipher suite of Envoy, and is ignored", "another")
        elif counts[text] > 1 and suite != next(s for s in suites if s.text == text):
            yield suite.warn(f"{text} is listed twice, and is ignored", "it once")
