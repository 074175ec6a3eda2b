"""What became of peers' suites on an embedded mesh in pods, for the page: suite by suite, and each
call that does not agree with its reason. ``make conformance`` counts them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_HEAD = """\
## Suites of peers

Test suites of other projects, ported case by case, are run by `make conformance` where they lie
beside the checkout, in pods (bookinfo and sim_routes without). Every call agrees, or is one of the
rows below. 153 calls were ported without a request; they have one here
(`conformance/peers/requests.py`).
"""


class Suite(NamedTuple):
    name: str
    source: str
    calls: int
    agree: int


class Reason(NamedTuple):
    suite: str
    calls: int
    what: str
    why: str


SUITES = (
    Suite("routing", "Istio 1.29.6, tests/integration/pilot", 363, 329),
    Suite("security", "Istio 1.29.6, tests/integration/security", 919, 913),
    Suite("sim2", "Istio 1.29.6, simulations of listeners and gateways", 236, 209),
    Suite("gamma", "Gateway API 1.6.1, conformance/tests/mesh", 81, 78),
    Suite("sim_routes", "Istio 1.29.6, TestSidecarRoutes", 82, 70),
    Suite("bookinfo", "Istio, samples/bookinfo/networking, and Istio 0.4's rules", 51, 51),
)
"""As counted with `--pods` on 2026-12-01."""
_NO_REQUEST = "the ported case has no request of its own"
_OPEN = "Istio's run is ALLOW_ANY; REGISTRY_ONLY closes HTTP/1.0, which is not sniffed, as bytes"
_A_BUG = (
    "Istio answers 404 if the older one comes later by name, which it calls a bug (istio#24385)"
)
_SWITCHED_OFF = "istiod ignores Sidecar ingress tls unless a feature flag of its own is set"
_LISTENS = "the ported app listens on its pod's address, whatever the case names"
REASONS = (
    Reason("routing", 8, "DNS", _NO_REQUEST),
    Reason("routing", 6, "virtual machines", "there are none"),
    Reason("routing", 11, "addresses, proxy headers, PROXY protocol at a gateway", _NO_REQUEST),
    Reason("routing", 4, "localhost and wildcard addresses under a Sidecar", _LISTENS),
    Reason("routing", 2, "HTTP/1.0 to an HTTP port, and to an outside host", _OPEN),
    Reason("routing", 1, "proxyProtocol", "the case calls a port whose app reads no such header"),
    Reason("routing", 1, "plain text to a TLS port", "Istio's app is Go's, which answers 400"),
    Reason(
        "routing",
        1,
        "a pod's call to its own headless Service",
        "its own address is not captured, as by Istio's rules; the case wants Envoy's headers",
    ),
    Reason("security", 5, "TLS origination with credentials", "its server is not ported"),
    Reason("security", 1, "CUSTOM", "its authorization server is not ported"),
    Reason("sim2", 15, "TLS modes of Sidecar ingress", _SWITCHED_OFF),
    Reason("sim2", 9, "overlapping ranges of TCP and TLS ports", _NO_REQUEST),
    Reason("sim2", 2, "TLS of two Ingresses for one host", _A_BUG),
    Reason("sim2", 1, "bytes to an HTTP port", "Istio's simulation looks at the cluster alone"),
    Reason("gamma", 2, "MeshFrontendHostname", "as Istio itself (istio#44702)"),
    Reason("gamma", 1, "a pod's own address", _NO_REQUEST),
    Reason("sim_routes", 12, "virtual hosts of HTTPRoutes", "Istio's own test skips them"),
)


def render_peers() -> Iterator[str]:
    """The section of the page."""
    yield ""
    yield _HEAD
    yield "| suite | source | calls | agree |\n|---|---|---|---|"
    yield from (f"| {s.name} | {s.source} | {s.calls} | {s.agree} |" for s in SUITES)
    yield "\n| suite | calls | what | why |\n|---|---|---|---|"
    yield from (f"| {r.suite} | {r.calls} | {r.what} | {r.why} |" for r in REASONS)
    yield ""
