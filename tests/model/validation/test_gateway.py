"""Gateways that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

KIND = "Gateway"
HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.test]}"
HTTPS = "port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test]"


def tls(fields: str) -> str:
    return f"{{servers: [{{{HTTPS}, tls: {{{fields}}}}}]}}"


@pytest.mark.parametrize(
    ("server", "field", "message"),
    [
        (f"{HTTP}, {HTTP}", "servers[1].port.name", "names two ports"),
        (HTTP.replace("name: http, ", ""), "servers[0].port.name", "missing"),
        (HTTP.replace("80", "70000"), "servers[0].port.number", "no port"),
        (HTTP.replace("HTTP", "HTP"), "servers[0].port.protocol", "not a protocol"),
        (HTTP.replace("a.test", "a"), "servers[0].hosts[0]", "short name"),
        (HTTP.replace("a.test", '"*a.test"'), "servers[0].hosts[0]", "part of a label"),
        (HTTP.replace("a.test", '"~/a.test"'), "servers[0].hosts[0]", "not a namespace"),
        (HTTP.replace("a.test", "shop/a.b.test/c"), "servers[0].hosts[0]", "label"),
        (HTTP.replace("[a.test]", "[]"), "servers[0].hosts", "is empty"),
        ("{hosts: [a.test]}", "servers[0].port", "missing"),
        (HTTP.replace("hosts", "bind: here, hosts"), "servers[0].bind", "not an IP"),
        (HTTP.replace("number: 80, ", "number: 80, targetPort: 81, "),
         "servers[0].port.targetPort", "no effect"),
        (HTTP[:-1] + ", tls: {mode: SIMPLE, credentialName: a}}", "servers[0].tls", "plain HTTP"),
        (HTTP.replace("HTTP", "TCP")[:-1] + ", tls: {mode: SIMPLE, credentialName: a}}",
         "servers[0].tls", "has no TLS"),
        (f"{{{HTTPS}}}", "servers[0].tls", "missing"),
    ],
)  # fmt: skip
def test_a_server(server: str, field: str, message: str) -> None:
    check(KIND, f"{{servers: [{server}]}}", field, message)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("mode: SIMPLE, serverCertificate: /a", ".mode", "without credentialName or privateKey"),
        ("mode: MUTUAL, serverCertificate: /a, privateKey: /b", ".mode", "without caCertificates"),
        ("mode: ISTIO_MUTUAL, credentialName: a", ".credentialName", "mesh's own"),
        ("mode: SIMPLE, credentialName: a, credentialNames: [b]", ".mode", "credentialName and"),
        ("mode: SIMPLE, credentialNames: [a, b, c]", ".credentialNames", "3 entries"),
        ("mode: SIMPLE, serverCertificate: /a, privateKey: /b, caCrl: /c", ".caCrl", "SIMPLE"),
    ],
)
def test_tls(fields: str, field: str, message: str) -> None:
    check(KIND, tls(fields), f"servers[0].tls{field}", message)


def test_the_name_has_no_dots() -> None:
    (problem,) = judge(KIND, f"{{servers: [{HTTP}]}}", more=".y")
    assert problem == 'metadata.name: "x.y" is not one DNS label'


def test_no_server() -> None:
    check(KIND, "{selector: {istio: ingressgateway}}", "servers", "is empty")


@pytest.mark.parametrize(
    "spec",
    [
        "{servers: [" + HTTP.replace("a.test", '"*", shop/a.test, ./*.b.test, 10.0.0.1') + "]}",
        f"{{servers: [{HTTP[:-1]}, tls: {{httpsRedirect: true}}}}]}}",
        tls("mode: SIMPLE, credentialName: a"),
        tls("mode: SIMPLE, credentialName: a, caCrl: /c"),
        tls("mode: MUTUAL, serverCertificate: /a, privateKey: /b, caCertificates: /c"),
        tls("mode: ISTIO_MUTUAL"),
        tls("mode: AUTO_PASSTHROUGH"),
        tls(""),
    ],
)
def test_what_istio_takes(spec: str) -> None:
    assert judge(KIND, spec) == []


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("httpsRedirect: true", ".httpsRedirect", "for HTTP servers"),
        ("credentialName: a", ".credentialName", "PASSTHROUGH"),
        ("mode: ISTIO_MUTUAL, minProtocolVersion: TLSV1_0", ".minProtocolVersion", "cipher"),
        ("mode: ISTIO_MUTUAL, cipherSuites: [RC4-MD5]", ".cipherSuites[0]", "no cipher suite"),
        ("mode: ISTIO_MUTUAL, cipherSuites: [AES128-SHA, AES128-SHA]", ".cipherSuites[1]", "twice"),
    ],
)
def test_what_istio_warns_of(fields: str, field: str, message: str) -> None:
    assert judge(KIND, tls(fields)) == []
    check(KIND, tls(fields), f"servers[0].tls{field}", message, warnings=True)
