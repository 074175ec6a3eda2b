"""EnvoyFilter: patches, their operations and targets."""

from __future__ import annotations

import pytest
import yaml

from meshproof.model.reader import read_text
from tests.model.conftest import Refusal
from tests.model.envoy_filters import BARE, BY_ITS_TYPE, FILTER, HEAD, ROUTES


@pytest.mark.parametrize("patches", [FILTER, BARE + ROUTES, BY_ITS_TYPE, FILTER + BY_ITS_TYPE])
def test_values_stay_as_they_are_written(patches: str) -> None:
    (resource,) = read_text(HEAD + patches, "f.yaml")
    written = yaml.safe_load(patches)
    assert [p.patch.value for p in resource.spec.config_patches] == [
        p["patch"]["value"] for p in written
    ]
    assert resource.spec.selector.match_labels == {"app": "productpage"}


def test_no_patches_are_valid_as_in_istio() -> None:
    (resource,) = read_text(HEAD.replace("  configPatches:\n", ""), "f.yaml")
    assert resource.spec.config_patches == []


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
    assert any(message in line for line in lines), lines


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
