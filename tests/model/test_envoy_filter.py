"""EnvoyFilter: the two forms of Istio's rate-limit task, and patches in general."""

from __future__ import annotations

import pytest

from meshproof.model.reader import read_text
from tests.model.conftest import Refusal
from tests.model.envoy_filters import BARE, BUCKET, BY_ITS_TYPE, FILTER, HEAD, ROUTES, TYPE

FORM = ", in a form of EnvoyFilter that meshproof's embedded mesh does not honour yet"
NOT_YET = "that meshproof's embedded mesh does not honour yet; leave it out, or run with MESH=kind"


@pytest.mark.parametrize("patches", [FILTER, BARE + ROUTES, BY_ITS_TYPE, FILTER + BY_ITS_TYPE])
def test_the_task_s_forms_are_read(patches: str) -> None:
    (resource,) = read_text(HEAD + patches, "f.yaml")
    limit = resource.spec.config_patches[-1].limit
    bucket = limit.token_bucket
    assert (bucket.max_tokens, bucket.tokens_per_fill, bucket.fill_interval) == (4, 3, 60.0)
    assert limit.stat_prefix == "limiter"
    assert resource.spec.selector.match_labels == {"app": "productpage"}


@pytest.mark.parametrize(
    ("original", "replacement", "field", "message"),
    [
        ("INSERT_BEFORE", "MERGE", "[0].patch.operation",
         "is MERGE with applyTo HTTP_FILTER; wanted INSERT_BEFORE"),
        ("udpa.type.v1.TypedStruct", "envoy.x.Lua", "[0].patch.value.typed_config.@type", "wanted"),
        (f"type_url: {TYPE}", "type_url: a/b", "[0].patch.value.typed_config.type_url", TYPE),
        (f"          type_url: {TYPE}\n", "", "[0].patch.value.typed_config",
         "is a TypedStruct; wanted type_url and value"),
        ("stat_prefix: limiter", "stat_prefix: limiter\n            descriptors: []",
         "[0].patch.value.typed_config.value.descriptors", f"is a field of Envoy {NOT_YET}"),
        ("stat_prefix: limiter", "stat_prefix: limiter\n            maxTokens: 1",
         "[0].patch.value.typed_config.value.maxTokens", "is not a field of LocalRateLimit"),
        ("60s", "1m", "[0].patch.value.typed_config.value.token_bucket.fill_interval",
         '"1m" is not a duration of Envoy\'s; wanted a string such as 60s or 0.25s'),
        ("60s", "0.049s", "[0].patch.value.typed_config.value.token_bucket.fill_interval",
         "wanted at least 0.05s"),
        ("max_tokens: 4", "max_tokens: 0",
         "[0].patch.value.typed_config.value.token_bucket.max_tokens", "wanted at least 1"),
        ("stat_prefix: limiter",
         'stat_prefix: limiter\n            response_headers_to_add: [{header: {key: ":a"}}]',
         "[0].patch.value.typed_config.value.response_headers_to_add[0].header.key",
         '":a" may not be set'),
    ],
)  # fmt: skip
def test_another_shape_is_refused_by_name(
    refusal: Refusal, original: str, replacement: str, field: str, message: str
) -> None:
    assert original in FILTER
    lines = refusal(HEAD + FILTER.replace(original, replacement))
    (line,) = [line for line in lines if f"spec.configPatches{field}: " in line]
    assert message in line.replace(FORM, "")


@pytest.mark.parametrize(
    ("patches", "message"),
    [
        (ROUTES, "[0]: is for a filter that nothing inserts; wanted an HTTP_FILTER patch beside"),
        (FILTER + FILTER, "[1]: is a second limit for the filter of SIDECAR_INBOUND; wanted one"),
        (BARE + ROUTES + ROUTES, "[2]: is a second limit for inbound|http|9080 of SIDECAR_INBOUND"),
        (BARE + ROUTES.replace("inbound|http|9080", '"*:80"'), "wanted inbound|http|PORT"),
        (BARE + ROUTES.replace(", " + BUCKET, ""), "has no token_bucket"),
        (BARE + ROUTES.replace("SIDECAR_INBOUND", "GATEWAY"), "is GATEWAY, whose routes are not"),
        (BARE + ROUTES.replace("MERGE", "INSERT_BEFORE"), "wanted MERGE"),
        (BARE + FILTER.replace("HTTP_FILTER", "HTTP_ROUTE").replace("INSERT_BEFORE", "MERGE"),
         "match.routeConfiguration: is missing with applyTo HTTP_ROUTE"),
        (BY_ITS_TYPE.replace("stat_prefix: limiter, ", ""), "typed_config.stat_prefix: is missing"),
        (BY_ITS_TYPE.replace("stat_prefix", "value: {stat_prefix: a}, stat_prefix"),
         "typed_config.value: is for a TypedStruct"),
        (FILTER.replace("          type_url", "          stat_prefix: a\n          type_url"),
         "typed_config.stat_prefix: is beside the value of a TypedStruct"),
        ("", "configPatches: is missing"),
    ],
)  # fmt: skip
def test_patches_that_do_not_fit_are_refused(refusal: Refusal, patches: str, message: str) -> None:
    assert any(message in line.replace(FORM, "") for line in refusal(HEAD + patches))


@pytest.mark.parametrize(
    ("original", "replacement"),
    [
        ("SIDECAR_INBOUND", "SIDECAR_OUTBOUND"),
        ("INSERT_BEFORE", "INSERT_FIRST"),
        ("name: envoy.filters.http.local_ratelimit", "name: envoy.filters.http.lua"),
        ("{filter: {name", "{sni: a, filter: {name"),
        ("manager}", "manager, subFilter: {name: envoy.filters.http.router}}"),
    ],
)
def test_what_is_beyond_the_task_is_a_patch_in_general(original: str, replacement: str) -> None:
    (resource,) = read_text(HEAD + FILTER.replace(original, replacement), "f.yaml")
    (patch,) = resource.spec.config_patches
    assert patch.apply_to == "HTTP_FILTER"
    assert resource.spec.selector.match_labels == {"app": "productpage"}
    assert not patch.routes


def test_patches_of_one_context_beyond_the_task_are_no_limits() -> None:
    """One limit a context is a rule of the task's form alone."""
    lua = FILTER.replace("name: envoy.filters.http.local_ratelimit", "name: envoy.filters.http.lua")
    (resource,) = read_text(HEAD + lua + lua, "f.yaml")
    assert len(resource.spec.config_patches) == 2


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("applyTo: HTTP_FILTER, patch: {operation: ADD}", "[0].patch.value: is missing"),
        ("applyTo: HTTP_FILTER, match: {listner: {}}, patch: {operation: ADD, value: {}}",
         "[0].match.listner: is not a field of"),
    ],
)  # fmt: skip
def test_a_patch_that_istio_refuses(refusal: Refusal, patch: str, message: str) -> None:
    lines = refusal(HEAD + f"  - {{{patch}}}\n")
    assert any(message in line.replace(FORM, "") for line in lines), lines


@pytest.mark.parametrize(
    ("patch", "operation", "applied"),
    [
        ("applyTo: CLUSTER, patch: {operation: INSERT_FIRST, value: {}}", "ADD", True),
        ("applyTo: FILTER_CHAIN, patch: {operation: INSERT_BEFORE, value: {}}", "ADD", True),
        ("applyTo: HTTP_FILTER, patch: {operation: INSERT_FIRST, value: {}}", "INSERT_FIRST", True),
        ("applyTo: CLUSTER, patch: {operation: REPLACE, value: {}}", "REPLACE", False),
        ("applyTo: ROUTE_CONFIGURATION, patch: {operation: ADD, value: {}}", "ADD", False),
        ("applyTo: EXTENSION_CONFIG, patch: {operation: INSERT_FIRST, value: {}}", "ADD", True),
        ("applyTo: EXTENSION_CONFIG, patch: {operation: MERGE, value: {}}", "MERGE", False),
        ("applyTo: BOOTSTRAP, patch: {operation: MERGE, value: {}}", "MERGE", False),
    ],
)
def test_an_insertion_where_nothing_has_an_order_adds(
    patch: str, operation: str, applied: bool
) -> None:
    (resource,) = read_text(HEAD + f"  - {{{patch}}}\n", "f.yaml")
    (row,) = resource.spec.config_patches
    assert (row.operation, row.is_applied) == (operation, applied)


def test_a_target_is_a_gateway_of_the_gateway_api() -> None:
    target = "{group: gateway.networking.k8s.io, kind: Gateway, name: front}"
    head = HEAD.replace("  workloadSelector: {labels: {app: productpage}}\n", "")
    text = head.replace("spec:\n", f"spec:\n  targetRefs: [{target}]\n") + FILTER
    (resource,) = read_text(text, "f.yaml")
    assert resource.spec.has_target
    assert resource.spec.gateway_targets == {"front"}
    assert resource.spec.config_patches[0].routes == ""
