"""Requests from and to pods without a sidecar, and with tokens to Gateways of the Gateway API, of
the security suite (Istio 1.29.6: TestReachability and TestGatewayAPIRequestAuthentication of
tests/integration/security)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from conformance.peers.case import Case, call

_CALLER = "echo1/migration-vlegacy"
_FROM, _TO = "from", "to"
_WAYS = (
    ("global mtls strict", "STRICT", "ISTIO_MUTUAL", _FROM, False),
    ("global mtls permissive", "PERMISSIVE", "ISTIO_MUTUAL", _TO, False),
    ("global mtls disabled", "DISABLE", "DISABLE", _TO, True),
    ("global plaintext to mtls permissive", "PERMISSIVE", "DISABLE", _FROM, True),
    ("global automtls strict", "STRICT", "", _FROM, False),
    ("global automtls disable", "DISABLE", "", _TO, True),
    ("global automtls passthrough", "", "PASSTHROUGH", _TO, True),
    ("global no peer authn", "", "ISTIO_MUTUAL", _TO, False),
    ("mtls strict", "STRICT", "ISTIO_MUTUAL", _FROM, False),
    ("mtls permissive", "PERMISSIVE", "ISTIO_MUTUAL", _TO, False),
    ("mtls disabled", "DISABLE", "DISABLE", _FROM, True),
    ("mtls port override", "STRICT", "", _FROM, True),
)
"""A case, the mode of its PeerAuthentication, that of its clients, the more telling one of its two
directions, and whether a request gets through. Names with ``global`` are of the root namespace."""


def reachability(_: Any) -> Iterator[Case]:
    group, name = "reachability", "from and to pods without a sidecar (naked), 12 cases"
    for case, mode, client, way, passes in _WAYS:
        everywhere = case.startswith("global")
        config = _peers(mode, everywhere=everywhere, port="override" in case) if mode else ""
        config += _clients(client, everywhere=everywhere) if client else ""
        caller, host = (_CALLER, "b") if way == _FROM else ("echo1/a-v1", "naked")
        check = ["ok"] if passes else ["notok"]
        to = {"scheme": "http", "address": f"{host}.echo1", "port": 80}
        yield Case(group, name, config, [call(f"{case}, {way} naked", caller, check, **to)])


def _peers(mode: str, *, everywhere: bool, port: bool) -> str:
    selector = "" if everywhere else "selector: {matchLabels: {app: b}}, "
    levels = ", portLevelMtls: {18080: {mode: DISABLE}}" if port else ""
    return f"""
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: default, namespace: {"istio-system" if everywhere else "echo1"}}}
spec: {{{selector}mtls: {{mode: {mode}}}{levels}}}
---
"""


def _clients(mode: str, *, everywhere: bool) -> str:
    policy = f"tls: {{mode: {mode}}}"
    if mode == "PASSTHROUGH":
        policy = "loadBalancer: {simple: PASSTHROUGH}"
    hosts = ["*"] if everywhere else ["b.echo1.svc.cluster.local", "naked.echo1.svc.cluster.local"]
    return "".join(
        f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: "clients-{number}", namespace: {"istio-system" if everywhere else "echo1"}}}
spec: {{host: "{host}", trafficPolicy: {{{policy}}}}}
---
"""
        for number, host in enumerate(hosts)
    )


_ONE, _TWO, _THREE = (f"test-issuer-{number}@istio.io" for number in (1, 2, 3))
_AT_GATEWAYS = (
    ("example", "/healthz", "", 200),
    ("example", "/", "", 403),
    ("example", "/", _ONE, 200),
    ("example", "/", _THREE, 200),
    ("example", "/", _TWO, 403),
    ("example", "/", "expired", 401),
    ("any-request-principal-ok", "/", _ONE, 200),
    ("any-request-principal-ok", "/", _TWO, 200),
    ("any-request-principal-ok", "/", "", 403),
    ("other-host", "/", _ONE, 403),
)
"""A host's first label, a path, whose token, and the answer."""
_OF_THREE = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InRUX3c5TFJOclk3d0phbEdzVFlTdDdydXRaaTg2R3Z5YzBFS1I0Q2FRQXci"
    "LCJ0eXAiOiJKV1QifQ.eyJleHAiOjQ4NDc4MDE0MzQsImdyb3VwcyI6WyJncm91cC0xIl0sImlhdCI6MTY5NDIwM"
    "TQzNCwiaXNzIjoidGVzdC1pc3N1ZXItM0Bpc3Rpby5pbyIsInN1YiI6InN1Yi0xIn0.YaRHh-0yccSHinMxo5ese"
    "P_ySSLE3pnFt7oL4HHL7R3RuYfzQsoow1Pc96uShVfOifIFBiC2_sfGje6lw-cJDo-Lw1g3kQOdmAjoQjmuUJMXs"
    "RCuR4kxLtREPW-ifcMHrKGoErJrzU8FIiwXwzNBPvrnY4HDHlG40E5wHSyf19sg11NtudLQubjCVaFUwuPCgL6JU"
    "qA2y80KReI4lqEz_-G9YoMFCWPnlHK31GHSvuoO0PzJm-H9OF7PSLGZoff0Hs7m5IN2qTo1Mc_wK1QBEmJRHZv6D"
    "XNMUtPOAFYzayv3ND6KXzqN4KrAk3d7KW_pVAIBb0oiAiI3TZy2FjYO8g"
)
"""Istio's token of the third issuer, subject ``sub-1`` (TokenIssuer3 of tests/common/jwt, signed
by the same key as the others), which no other ported case has."""


def tokens(cases: Iterable[dict[str, Any]]) -> Iterator[Case]:
    """With tokens of other cases, which are Istio's own."""
    by_issuer = {_THREE: f"Bearer {_OF_THREE}", **_tokens(cases)}
    calls = []
    for number, (host, path, issuer, status) in enumerate(_AT_GATEWAYS):
        headers = [["Authorization", by_issuer.get(issuer, "")]] if issuer else []
        request = {"host": f"{host}.b.com", "path": path, "headers": headers}
        to = {"scheme": "http", "address": "b-gateway-istio.echo1", "port": 80}
        calls.append(call(f"case {number}", _CALLER, ["status", status], **to, **request))
    yield Case("jwt", "TestGatewayAPIRequestAuthentication", None, calls)


def _tokens(cases: Iterable[dict[str, Any]]) -> dict[str, str]:
    """By issuer, and ``expired``: values of Authorization headers. Of one issuer the subject
    ``sub-N`` of its own number, without further claims, where there is one."""
    ranked: dict[str, tuple[int, str]] = {}
    for case in cases:
        for request in (one["req"] for one in case["calls"]):
            for name, value in request.get("headers") or ():
                claims = _claims(value) if name.lower() == "authorization" else {}
                issuer = claims.get("iss", "")
                if not issuer:
                    continue
                key = issuer if claims.get("exp", 0) > _LATEST else "expired"
                own = claims.get("sub") == f"sub-{issuer.removeprefix('test-issuer-')[:1]}"
                rank = len(claims) + (0 if own else 100)
                if key not in ranked or rank < ranked[key][0]:
                    ranked[key] = (rank, value)
    return {key: value for key, (_, value) in ranked.items()}


_LATEST = 1_700_000_000
"""Seconds since 1970. Istio's expired token ended long before, the others end in decades."""


def _claims(value: str) -> dict[str, Any]:
    parts = value.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return {}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return {}
    return claims
