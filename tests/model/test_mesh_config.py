"""MeshConfig: what is read where, what is refused at which line, and how two are merged."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.errors import Refused
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.mesh_config import MeshConfig, merge_mesh_configs
from meshproof.model.mesh_config_map import parse_mesh_config
from meshproof.model.reader import read_text

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: %s}
data:
  mesh: |-
    pathNormalization:
      normalization: MERGE_SLASHES
    %s
"""


def _refused(text: str) -> list[str]:
    with pytest.raises(Refused) as info:
        read_text(text, "mesh.yaml")
    return [str(p) for p in info.value.problems]


def test_the_config_map_of_istiod_is_checked_at_its_own_lines() -> None:
    (problem,) = _refused(CONFIG_MAP % ("istio", "istio-system", "connectTimeout: 5"))
    assert problem.startswith(
        "mesh.yaml:8: ConfigMap istio-system/istio: data.mesh.connectTimeout: is the number 5"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("configSources: []", "data.mesh.configSources: is a field of Istio"),
        ("inboundTrafficPolicy: {mode: LOCALHOST}", "LOCALHOST is a value of Istio"),
        ("enableAutoMtls: false", "data.mesh.enableAutoMtls"),
        ("trustDomian: td", "did you mean trustDomain?"),
        ("defaultConfig: {proxyMetadata: {ISTIO_META_HTTP10: '1'}}", "ISTIO_META_HTTP10: is set"),
        ("defaultConfig: {gatewayTopology: {numTrustedProxies: -1}}", "at least 0"),
        ("  x: [", "mesh.yaml:"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(line: str, message: str) -> None:
    assert message in _refused(CONFIG_MAP % ("istio", "istio-system", line))[0]


@pytest.mark.parametrize(("name", "namespace"), [("istio", "default"), ("other", "istio-system")])
def test_other_config_maps_are_files_of_apps(name: str, namespace: str) -> None:
    assert read_text(CONFIG_MAP % (name, namespace, "connectTimeout: 5"), "mesh.yaml")


def test_protobuf_s_own_spelling_is_the_same_field() -> None:
    assert parse_mesh_config("outbound_traffic_policy: {mode: ALLOW_ANY}") == parse_mesh_config(
        "outboundTrafficPolicy: {mode: ALLOW_ANY}"
    )


def test_fields_that_only_concern_istio_s_own_parts_are_reported() -> None:
    text = CONFIG_MAP % ("istio", "istio-system", "defaultConfig: {concurrency: 2}")
    (resource,) = read_text(text, "mesh.yaml")
    (problem,) = find_ignored_fields(resource)
    assert (problem.field, problem.line) == ("data.mesh.defaultConfig.concurrency", 5)


def test_an_operator_s_mesh_config_is_read_and_the_rest_reported() -> None:
    text = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: i, namespace: istio-system}
spec: {profile: demo, meshConfig: {enableTracing: false}}
"""
    (resource,) = read_text(text, "operator.yaml")
    assert not resource.spec.mesh_config.enable_tracing
    assert [p.field for p in find_ignored_fields(resource)] == ["spec.profile"]
    (problem,) = _refused(text.replace("profile: demo", "values: {global: {}}"))
    assert "spec.values.global: is a field of Istio" in problem


@pytest.mark.parametrize("metadata", ["", "metadata: {namespace: istio-system}"])
def test_an_operator_needs_no_name_as_for_istioctl(metadata: str) -> None:
    text = f"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n{metadata}\nspec: {{}}\n"
    (resource,) = read_text(text, "operator.yaml")
    assert resource.name == "installed-state"


def _config(**fields: Any) -> MeshConfig:
    return MeshConfig.model_validate(fields)


def test_a_field_wins_whole_but_those_of_default_config_one_by_one() -> None:
    base = _config(
        outboundTrafficPolicy={"mode": "ALLOW_ANY"},
        enableTracing=False,
        defaultConfig={"tracing": {"sampling": 5.0}, "gatewayTopology": {"numTrustedProxies": 1}},
    )
    other = _config(
        outboundTrafficPolicy={},
        defaultConfig={"gatewayTopology": {"forwardClientCertDetails": "SANITIZE"}},
    )
    merged = merge_mesh_configs(base, other)
    assert merged.outbound_traffic_policy is not None
    assert merged.outbound_traffic_policy.mode == "REGISTRY_ONLY"
    assert not merged.enable_tracing
    assert merged.default_config.tracing is not None
    assert merged.default_config.gateway_topology is not None
    assert merged.default_config.gateway_topology.num_trusted_proxies == 0
