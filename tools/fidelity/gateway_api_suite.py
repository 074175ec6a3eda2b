"""What became of the Gateway API's own conformance tests on an embedded mesh, for the page."""

from __future__ import annotations

from collections.abc import Iterator

_HEAD = """\
## The Gateway API's conformance tests

The tests of kubernetes-sigs/gateway-api (conformance/tests at 4564255a) were run on an embedded
mesh with their own YAML and requests, as far as those are data. Our own cases are in
tests/gateway_api and e2e/test_gateways.py.
"""

ROWS = (
    (
        "GATEWAY-HTTP, routing: paths, methods, headers, query parameters, matching across routes, "
        "path order, hostname intersection, listener hostnames and ports, listener isolation, "
        "several gateways, cross-namespace, weights, named rules, omitted backendRefs",
        "pass",
        "",
    ),
    (
        "GATEWAY-HTTP, filters: redirects (host, status, path, port, scheme; 303, 307, 308), "
        "rewrites, headers of requests and responses at rules and backends, mirrors, CORS, "
        "timeouts",
        "pass",
        "",
    ),
    (
        "GATEWAY-HTTP, references: grants of backends, unknown kinds and backends, partly invalid "
        "rules, disallowed kinds, parents that do not match",
        "pass",
        "",
    ),
    (
        "GATEWAY-HTTP, conditions: attached routes, route kinds, protocols, Secrets and grants",
        "pass by our own cases",
        "`meshproof status` shows conditions: there is no API server to read them from",
    ),
    (
        "httproute-https-listener, -retry*, -backend-protocol-*, -request-percentage-mirror, "
        "gateway-with-clientcertificate-validation*",
        "not run",
        "their requests are made in Go; our own cases have an HTTPS listener",
    ),
    (
        "*-observed-generation-bump, gateway-modify-listeners, gateway-infrastructure, "
        "gateway-static-addresses, gateway-optional-address-value",
        "not run",
        "objects have no generation here, and a gateway's address is one that the mesh chooses",
    ),
    (
        "httproute-https-listener-detect-misdirected-requests",
        "fail",
        "another listener's host is 404, not 421, as in Istio, which lists this as not supported",
    ),
    (
        "GATEWAY-GRPC: services, methods, headers and their order",
        "pass by our own cases",
        "weights and named rules are those of HTTPRoutes, and were not run over gRPC",
    ),
    (
        "GATEWAY-TLS: passthrough, hostname intersection, references; TCPRoutes",
        "pass by our own cases",
        "TLSRoutes at a listener that terminates are compared as configuration alone",
    ),
    (
        "BackendTLSPolicy: the hostname and authorities of a ConfigMap",
        "pass by our own cases",
        "conditions of policies are not shown",
    ),
    (
        "ListenerSet, UDPRoute, gateway-tls-backend-client-certificate",
        "refused by name",
        "Istio has no UDPRoute either",
    ),
)


def render_suite() -> Iterator[str]:
    """The section of the page."""
    yield ""
    yield _HEAD
    yield "| tests | result | why |\n|---|---|---|"
    yield from (f"| {tests} | {result} | {why} |" for tests, result, why in ROWS)
    yield ""
