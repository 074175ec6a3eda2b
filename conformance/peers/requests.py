"""Requests of cases that were ported without one, since they could not be sent then: ports that no
Service names, pods without a sidecar, MeshConfig, the targetPorts of a gateway.

Written after what the suites' own tests send and expect (Istio 1.29.6: pass_through_filter_chain,
normalization and reachability tests of tests/integration/security, and the simulations of
pilot/pkg/networking/core).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from conformance.peers import configs, gateway_services, ingresses, localities, naked
from conformance.peers.case import Call, Case
from conformance.peers.case import call as _call

NAKED = "direct"
"""The suites' name of a caller without a sidecar."""
_TLS_RECORD = "\x16\x03"


def complete(file: str, cases: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The cases of a file, each with its requests; one case may become several."""
    ported = list(cases)
    parts: dict[tuple[str, str], list[Case]] = {}
    for write in CASES.get(file, ()):
        for part in write(ported):
            parts.setdefault((part.group, part.name), []).append(part)
    for case in ported:
        own = parts.get((case["group"], case["name"]))
        if own is None:
            yield case
            continue
        for part in own:
            yield _complete(case, part)


def _complete(case: dict[str, Any], part: Case) -> dict[str, Any]:
    if part.config is None:
        calls = {call["name"]: call for call in part.calls}
        return {**case, "calls": [calls.get(call["name"], call) for call in case["calls"]]}
    rest = {key: value for key, value in case.items() if key != "not_portable"}
    return {**rest, "config": part.config, "calls": list(part.calls)}


_TCP_ONLY, _HTTP_ONLY = 19092, 18083
_B = "{ip:echo1/b-v1}"
_ALLOW_TCP = f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: tcp-alone, namespace: echo1}}
spec: {{rules: [{{to: [{{operation: {{ports: ["{_TCP_ONLY}"]}}}}]}}]}}
---
"""
_MODES = (
    ("DISABLE", "DISABLE", "", (False, False)),
    ("DISABLE with authz", "DISABLE", "", (False, False)),
    ("STRICT", "STRICT", "", (True, True)),
    ("PERMISSIVE", "PERMISSIVE", "", (True, True)),
    ("DISABLE with STRICT", "DISABLE", "STRICT", (True, False)),
    ("STRICT with DISABLE", "STRICT", "DISABLE", (False, True)),
    ("PERMISSIVE with STRICT", "PERMISSIVE", "STRICT", (True, True)),
    ("STRICT with PERMISSIVE", "STRICT", "PERMISSIVE", (True, True)),
    ("PERMISSIVE with DISABLE", "PERMISSIVE", "DISABLE", (False, True)),
    ("DISABLE with PERMISSIVE", "DISABLE", "PERMISSIVE", (True, False)),
)
"""A case, the workload's mode, that of its TCP port, and whether mutual TLS gets through to the
port of TCP and to that of HTTP."""


_DOTS = "/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc"
_PATHS = (
    ("None", "NONE", _DOTS, _DOTS),
    ("MergeSlashes", "MERGE_SLASHES", "/app/\\/\\/\\admin", "/app/admin"),
    ("DecodeAndMergeSlashes", "DECODE_AND_MERGE_SLASHES", _DOTS, "/app/admin/abc"),
    ("NotNormalized", "DECODE_AND_MERGE_SLASHES", *["/%25c0%25ae%25c1%259cadmin"] * 2),
    ("PercentEncoded", "DECODE_AND_MERGE_SLASHES", "/admin%5c", "/admin/"),
    ("Invalid", "DECODE_AND_MERGE_SLASHES", "/admin%00", ""),
)
"""A case, Istio's name of the normalization, the most telling of its paths, and what the app sees;
empty for a refusal."""


def _security(_: Any) -> Iterator[Case]:
    for name, mode, own, (tcp, http) in _MODES:
        config = configs.peer_authentication(
            mode, {_TCP_ONLY: own} if own else {}, "b" if own else "", "echo1"
        )
        config += configs.forced_mtls(_B, (_TCP_ONLY, _HTTP_ONLY), "echo1")
        config += _ALLOW_TCP if "authz" in name else ""
        place = {"address": _B, "direct": True}
        calls: Sequence[Call] = (
            _call(
                f"TCPWorkloadOnly mtls {str(tcp).lower()}",
                "echo1/a-v1",
                ["passed"] if tcp else ["not_passed"],
                scheme="tcp", port=_TCP_ONLY, message="hello tcp, no http\n", **place,
            ),
            _call(
                f"HTTPWorkloadOnly mtls {str(http).lower()}",
                "echo1/a-v1",
                ["ok"] if http else ["notok"],
                scheme="http", port=_HTTP_ONLY, **place,
            ),
        )  # fmt: skip
        yield Case("passthrough-filter-chain", name, config, calls)
    for name, kind, path, url in _PATHS:
        check = ["url", url] if url else ["status", 400]
        to = {"scheme": "http", "address": "b.echo1", "port": 80}
        calls = (_call(path, "echo1/a-v1", check, path=path, **to),)
        yield Case("normalization", name, configs.mesh_config(kind), calls)
    for name, mode, (istio, legacy) in (
        ("migration no tls", "", ("mtls", "plaintext")),
        ("migration tls disabled", "DISABLE", ("notok", "plaintext")),
        ("migration tls mutual", "ISTIO_MUTUAL", ("mtls", "notok")),
    ):
        to = {"scheme": "http", "address": "migration.echo1", "port": 80}
        calls = (
            _call("vistio", "echo1/a-v1", [istio], path="/vistio", **to),
            _call("vlegacy", "echo1/a-v1", [legacy], path="/vlegacy", **to),
        )
        yield Case("reachability", name, configs.migration(mode), calls)


_FOO = "{ip:default/foo}"


def _plain(name: str, port: int, *, passes: bool) -> Call:
    check = ["ok"] if passes else ["notok"]
    return _call(name, NAKED, check, address=_FOO, port=port, direct=True, scheme="http")


def _mutual(name: str, port: int, mode: str) -> Call:
    """The first bytes of TLS with Istio's ALPN: what DISABLE passes on to the app, any other mode
    answers itself."""
    check = ["passed"] if mode == "DISABLE" else ["raw_startswith", _TLS_RECORD]
    return _call(
        name, NAKED, check, address=_FOO, port=port, direct=True, scheme="hello", alpn=["istio"]
    )  # fmt: skip


def _bytes(name: str, port: int, check: str) -> Call:
    return _call(
        name, NAKED, [check], address=_FOO, port=port, direct=True, scheme="tcp",
        message="hello tcp, no http\n",
    )  # fmt: skip


def _both(mode: str, port: int, at: str) -> tuple[Call, Call]:
    return (
        _plain(f"plaintext {at}", port, passes=mode != "STRICT"),
        _mutual(f"mtls {at}", port, mode),
    )


def _sim2(_: Any) -> Iterator[Case]:
    group, alone = "TestPeerAuthenticationPassthrough", "6 cases without a service"
    for mode, own in (("DISABLE", "STRICT"), ("STRICT", "DISABLE"), ("DISABLE", "PERMISSIVE")):
        name = f"pa{mode.title()}With{own.title()}OnPort9000 + sePort8000"
        at_9000 = _both(own, 9000, "port 9000")
        yield Case(group, name, None, at_9000)
        config = configs.peer_authentication(mode, {9000: own}, "foo", "default")
        yield Case(group, alone, config, [*_both(mode, 8000, "on port 8000"), *at_9000])
    for mode in ("DISABLE", "STRICT", "PERMISSIVE"):
        config = configs.peer_authentication(mode, {}, "foo", "default")
        yield Case(group, alone, config, _both(mode, 8000, "on port 8000"))
    for mode in ("DISABLE", "PERMISSIVE", "STRICT"):
        yield Case("TestInbound", mode, None, tuple(_passthrough(mode)))
    peers = configs.peer_authentication("STRICT", {9090: "DISABLE"}, "foo", "default")
    for name, ports, more in (
        ("service, full sidecar", (8080, 9090), configs.SERVICE_OF_BYTES),
        ("no service, full sidecar", (8080, 9090), ""),
        ("service, partial sidecar", (8080,), configs.SERVICE_OF_BYTES),
    ):
        config = peers + configs.sidecar(ports) + more
        yield Case("TestPeerAuthenticationWithSidecar", name, config, _BYTES)
    yield from _gateway_ports()


def _passthrough(mode: str) -> Iterator[Call]:
    """To a port without a Service: only STRICT asks for the mesh's certificate."""
    reaches = "not_passed" if mode == "STRICT" else "passed"
    yield _plain("passthrough http", 8000, passes=mode != "STRICT")
    yield _bytes("passthrough tcp", 8000, reaches)
    for name, alpn in (("passthrough tls", []), ("passthrough https", ["http/1.1"])):
        yield _call(
            name, NAKED, [reaches], address=_FOO, port=8000, direct=True, scheme="hello", alpn=alpn
        )  # fmt: skip
    yield _mutual("passthrough mtls", 8000, mode)


_BYTES = (
    _bytes("plaintext on tls port", 8080, "not_passed"),
    _mutual("tls on tls port", 8080, "STRICT"),
    _bytes("plaintext on plaintext port", 9090, "passed"),
    _mutual("tls on plaintext port", 9090, "DISABLE"),
)


def _gateway_ports() -> Iterator[Case]:
    """Two Services, in either order, of which one says nothing of the gateway's ports."""
    untranslated = "experimental.istio.io/disable-gateway-port-translation: 'true'"
    services = [configs.ingress_service(8081, untranslated), configs.ingress_service(8080, "")]
    servers = configs.server(80, "a") + configs.server(8081, "b")
    for order in (services, services[::-1]):
        calls = [
            _call(f"port {port}", f"gateway:{port}", ["app", host], port=port, scheme="http",
                  address="example.com")
            for port, host in ((80, "a"), (8081, "b"))
        ]  # fmt: skip
        name = "TestDisablePortTranslation (4 calls)"
        yield Case("gateway ports of the Service", name, servers + "".join(order), calls)


Ported = Sequence[dict[str, Any]]
CASES: dict[str, Sequence[Callable[[Ported], Iterable[Case]]]] = {
    "istio/routing.yaml": (localities.cases, ingresses.routing),
    "istio/security.yaml": (_security, naked.reachability, naked.tokens),
    "sim/sim2.yaml": (_sim2, ingresses.simulated, gateway_services.cases),
}
FILES = tuple(CASES)
