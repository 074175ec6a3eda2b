"""ProxyConfigs of workloads: the resource, the annotation, and which of them wins."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.proxy_config import ProxyConfig
from meshproof.model.proxy_config_sources import proxy_configs_of
from meshproof.model.reader import read_text

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: default}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop}
      annotations:
        proxy.istio.io/config: |
          %s
    spec: {containers: [{name: shop, image: shop}]}
"""
RESOURCE = """\
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: %s, namespace: %s}
spec: {%s}
"""


def _variables(*documents: str, default: dict[str, str] | None = None) -> dict[str, str]:
    resources = read_text("".join(documents), "shop.yaml")
    mesh = ProxyConfig.model_validate({"proxyMetadata": default or {}})
    (config,) = proxy_configs_of(resources, mesh, "istio-system").values()
    return config.proxy_metadata


def test_the_annotation_wins_over_the_mesh_and_the_resource_over_the_annotation() -> None:
    deployment = DEPLOYMENT % "proxyMetadata: {A: pod, B: pod, C: pod}"
    root = RESOURCE % ("root", "istio-system", "environmentVariables: {B: root, D: root, E: root}")
    wide = RESOURCE % ("wide", "default", "environmentVariables: {E: wide}")
    own = RESOURCE % (
        "own",
        "default",
        "selector: {matchLabels: {app: shop}}, environmentVariables: {C: own}",
    )
    assert _variables(deployment, root, wide, own, default={"A": "mesh", "F": "mesh"}) == {
        **{"A": "pod", "B": "pod", "C": "own"},
        **{"D": "root", "E": "wide", "F": "mesh"},
    }


def test_a_resource_selects_workloads_of_its_own_namespace() -> None:
    deployment = DEPLOYMENT % "{}"
    selector = "selector: {matchLabels: {app: shop}}, environmentVariables: {A: b}"
    resources = read_text(deployment + RESOURCE % ("other", "books", selector), "shop.yaml")
    assert proxy_configs_of(resources, ProxyConfig(), "istio-system") == {}
    resources = read_text(deployment + RESOURCE % ("own", "default", selector), "shop.yaml")
    assert list(proxy_configs_of(resources, ProxyConfig(), "istio-system")) == [("default", "shop")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("proxyMetadata: {ISTIO_META_IDLE_TIMEOUT: 5s}", "proxyMetadata.ISTIO_META_IDLE_TIMEOUT"),
        ("runtimeValues: {a: b}", "config.runtimeValues: is a field of Istio"),
        ("tracign: {}", "did you mean tracing?"),
        ("interceptionMode: TPROXY", "TPROXY is a value of Istio"),
    ],
)
def test_what_is_not_honoured_is_refused_at_its_own_line(line: str, message: str) -> None:
    with pytest.raises(Refused) as info:
        read_text(DEPLOYMENT % line, "shop.yaml")
    (problem,) = map(str, info.value.problems)
    assert problem.startswith("shop.yaml:11: ")
    assert message in problem


def test_what_concerns_the_container_alone_is_reported() -> None:
    (resource,) = read_text(DEPLOYMENT % "holdApplicationUntilProxyStarts: true", "shop.yaml")
    (problem,) = find_ignored_fields(resource, {"shop"})
    assert problem.field.endswith("proxy.istio.io/config.holdApplicationUntilProxyStarts")
    assert problem.line == 10
