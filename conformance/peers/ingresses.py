"""Requests of the cases about Ingress, after Istio's own tests (1.29.6: TestIngress of
tests/integration/pilot/ingress_test.go, and TestIngress of the gateways' simulations)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from conformance.peers.case import Call, Case, call
from meshproof.embedded.config.certificate_authority import Authority

_GROUP = "ingress"
_SERVED = ["status", 200]
_NO_ROUTE = ["status", 404]
_PATHS = (
    ("http", "/prefix", "server", "/test", _SERVED),
    ("http-prefix-matches-subpath", "/prefix/should", "server", "/prefix/should/match", _SERVED),
    (
        "http-prefix-matches-without-trailing-backslash",
        "/prefix/test/",
        "server",
        "/prefix/test",
        _SERVED,
    ),
    (
        "http-prefix-matches-trailing-blackslash",
        "/prefix/test",
        "server",
        "/prefix/test/",
        _SERVED,
    ),
    (
        "http-prefix-should-not-match-path-continuation",
        "/prefix/test",
        "server",
        "/prefix/testrandom/",
        _NO_ROUTE,
    ),
    ("http-root-prefix-should-match-random-path", "/", "server", "/testrandom", _SERVED),
    ("https-foo", "/prefix", "foo.example.com", "/test", _SERVED),
    ("https-bar", "/prefix", "bar.example.com", "/test", _SERVED),
    ("https-namedport", "/prefix", "bar.example.com", "/test/namedport", _SERVED),
)
"""A case, the Prefix of its Ingress, and a request's host and path. The other paths are /test."""
_UPDATES = (
    ("initial state", "istio-test", "/update-test", _SERVED),
    ("update-class-not-istio", "not-istio", "/update-test", _NO_ROUTE),
    ("update-class-istio", "istio-test", "/update-test", _SERVED),
    ("update-path", "istio-test", "/updated", _SERVED),
)


def routing(_: Any) -> Iterator[Case]:
    secrets = _secret("secret-foo") + _secret("secret-bar")
    for name, prefix, host, path, check in _PATHS:
        config = _ingress("istio-test", "/test", prefix) + secrets
        yield Case(_GROUP, name, config, [_call("call", host, path, check)])
    for name, kind, path, check in _UPDATES:
        # A second Ingress stays, so that the gateway listens whatever becomes of the first.
        config = _ingress("istio-test", "/test", "/prefix", "ingress") + secrets
        config += _ingress(kind, path, path)
        yield Case(_GROUP, name, config, [_call("call", "server", path, check)])


def simulated(_: Any) -> Iterator[Case]:
    """The older of two Ingresses names the TLS server of both; what the younger one adds to it is
    not served where the two are in the wrong order by name (istio#24385)."""
    secret = _secret("ingressgateway-certs")
    for order, served in (("ba", False), ("ab", True)):
        calls: list[Call] = []
        for app in "ab":
            calls.append(_call(f"http {app}", "example.com", f"/{app}", ["app", app], tls=False))
            check = ["app", app] if served else _NO_ROUTE
            calls.append(_call(f"https {app}", "example.com", f"/{app}", check, tls=True))
        config = "".join(map(_shared, order)) + secret
        yield Case("TestIngress", "4 calls", config, calls)


def _call(name: str, host: str, path: str, check: list[Any], *, tls: bool | None = None) -> Call:
    secure = host.endswith(".example.com") if tls is None else tls
    port = 443 if secure else 80
    return call(
        name, f"gateway:{port}", check,
        scheme="https" if secure else "http", address=host, host=host, sni=host, port=port,
        path=path,
    )  # fmt: skip


def _ingress(kind: str, path: str, prefix: str, name: str = "update-test-ingress") -> str:
    rows = "".join(
        f"\n      - {{path: {at}, pathType: {match}, "
        f"backend: {{service: {{name: b, port: {port}}}}}}}"
        for at, match, port in (
            (f"{path}/namedport", "ImplementationSpecific", "{name: http}"),
            (path, "ImplementationSpecific", "{number: 80}"),
            (prefix, "Prefix", "{number: 80}"),
        )
    )
    return f"""
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: istio-test}}
spec: {{controller: istio.io/ingress-controller}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: echo}}
spec:
  ingressClassName: {kind}
  tls:
  - {{hosts: [foo.example.com], secretName: secret-foo}}
  - {{hosts: [bar.example.com], secretName: secret-bar}}
  rules:
  - http:
      paths:{rows}
---
"""


def _shared(app: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {app}
  namespace: default
  annotations: {{kubernetes.io/ingress.class: istio}}
spec:
  rules:
  - host: example.com
    http:
      paths:
      - path: /{app}
        pathType: Prefix
        backend: {{service: {{name: {app}, port: {{number: 80}}}}}}
  tls: [{{hosts: [example.com], secretName: ingressgateway-certs}}]
---
"""


def _secret(name: str) -> str:
    pair = Authority().issue(f"spiffe://test/{name}")
    chain, key = (base64.b64encode(pem.encode()).decode() for pem in (pair.chain, pair.key))
    return f"""
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {{name: {name}, namespace: istio-system}}
data: {{tls.crt: {chain}, tls.key: {key}}}
---
"""
