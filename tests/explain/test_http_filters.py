"""Results of HTTP filters that no recorded case and no other test covers."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.http_filters import FilterContext, FilterResult, nearest_config, run_filter
from meshproof.explain.origin import without_location
from meshproof.explain.request import Request
from meshproof.model.virtual_service_route import CorsPolicy
from meshproof.translate.cors import build_cors

HTTP = "type.googleapis.com/envoy.extensions.filters.http"


def run(kind: str, own: dict[str, Any] | None, method: str = "GET", **headers: str) -> FilterResult:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = AuthzRequest(Peer(), Request(method, "http", "echo", "/", sent))
    return run_filter(
        "f", {"@type": f"{HTTP}.{kind}"}, own, request, FilterContext(None, without_location, 0.0)
    )


def test_a_filter_that_is_not_known_is_named() -> None:
    assert run("lua.v3.Lua", None).notes == ("its filter f is not looked into",)
    assert run("header_to_metadata.v3.Config", None) == FilterResult()


def test_a_module_is_named_and_taken_to_let_requests_in() -> None:
    name, config = "extensions.istio.io/wasmplugin/shop.a.b", {"@type": f"{HTTP}.wasm.v3.Wasm"}
    request = AuthzRequest(Peer(), Request("GET", "http", "echo", "/", ()))
    context = FilterContext(None, without_location, 0.0)
    assert run_filter(name, config, None, request, context) == FilterResult(
        ("WasmPlugin shop/a.b sees it",),
        assumptions=("the module of WasmPlugin shop/a.b lets it in unchanged",),
    )


def test_a_rate_limit_is_told() -> None:
    full = {"default_value": {"numerator": 100}}
    limit = {
        "token_bucket": {"max_tokens": 4, "tokens_per_fill": 2, "fill_interval": "60s"},
        "filter_enabled": full,
        "filter_enforced": full,
    }
    kind = "local_ratelimit.v3.LocalRateLimit"
    assert run(kind, limit).notes == ("429 beyond 4 calls at once and 2 more each 60s",)
    assert run(kind, {**limit, "filter_enforced": {}}) == FilterResult()
    assert run(kind, None) == FilterResult()


@pytest.mark.parametrize(
    ("abort", "status"), [({"http_status": 418}, 418), ({"grpc_status": 14}, 200)]
)
def test_a_fault_s_status(abort: dict[str, int], status: int) -> None:
    percentage = {"numerator": 500_000, "denominator": "MILLION"}
    result = run("fault.v3.HTTPFault", {"abort": {**abort, "percentage": percentage}})
    ((chance, outcome),) = result.local_replies
    assert (chance, outcome.status) == (0.5, status)


@pytest.mark.parametrize(
    ("origin", "unmatched", "method", "answered"),
    [
        ("https://ours.test", None, "OPTIONS", True),
        ("https://theirs.test", None, "OPTIONS", False),
        ("https://theirs.test", "IGNORE", "OPTIONS", True),
        ("https://ours.test", None, "GET", False),
    ],
)
def test_preflights(origin: str, unmatched: str | None, method: str, answered: bool) -> None:
    rule = {"allowOrigins": [{"exact": "https://ours.test"}], "unmatchedPreflights": unmatched}
    policy = CorsPolicy.model_validate({k: v for k, v in rule.items() if v})
    own = next(iter(build_cors(policy).values()))
    result = run("cors.v3.Cors", own, method, origin=origin, access_control_request_method="GET")
    assert bool(result.local_replies) is answered


def test_the_nearest_configuration_counts() -> None:
    route: dict[str, Any] = {"typed_per_filter_config": {"f": {"a": 1}}}
    host: dict[str, Any] = {"typed_per_filter_config": {"f": {}}}
    assert nearest_config([route, host], "f") == {"a": 1}
    assert nearest_config([{}, host], "f") == {}
    assert nearest_config([{}, {}], "f") is None
