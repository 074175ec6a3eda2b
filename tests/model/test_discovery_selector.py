"""Which namespaces istiod reads."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.model.discovery_selector import Discovery, DiscoverySelector
from meshproof.model.mesh_config import MeshConfig
from meshproof.model.reader import read_text

LABELS = {"shop": {"mesh": "yes", "tier": "front"}, "bank": {"tier": "back"}}


def _expression(operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "tier", "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selectors", "namespaces"),
    [
        ([], ["shop", "bank", "bare", ""]),
        ([{}], ["shop", "bank", "bare", ""]),
        ([{"matchLabels": {"mesh": "yes"}}], ["shop", ""]),
        ([{"matchLabels": {"mesh": "yes"}}, _expression("In", "back")], ["shop", "bank", ""]),
        ([_expression("NotIn", "front")], ["bank", "bare", ""]),
        ([_expression("Exists")], ["shop", "bank", ""]),
        ([_expression("DoesNotExist")], ["bare", ""]),
        ([{"matchLabels": {"mesh": "yes"}, **_expression("In", "back")}], [""]),
        ([{"matchLabels": {"kubernetes.io/metadata.name": "bare"}}], ["bare", ""]),
    ],
)
def test_the_namespaces_that_are_read(selectors: list[Any], namespaces: list[str]) -> None:
    discovery = Discovery(map(DiscoverySelector.model_validate, selectors), LABELS)
    assert [n for n in ("shop", "bank", "bare", "") if discovery.reads(n)] == namespaces


@pytest.mark.parametrize("expression", [_expression("In"), _expression("Exists", "front")])
def test_values_fit_their_operator(expression: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="do not fit"):
        DiscoverySelector.model_validate(expression)


TEXT = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {mesh: "yes"}}
"""
IN_A_NAMESPACE = """
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {0}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80, name: http}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web, namespace: {0}}}
spec: {{hosts: [web], http: [{{route: [{{destination: {{host: web}}}}]}}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: web, namespace: {0}}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]
"""


@pytest.mark.parametrize(
    ("selectors", "namespaces"),
    [([], {"shop", "bank"}), ([{"matchLabels": {"mesh": "yes"}}], {"shop"})],
)
def test_services_and_rules_of_other_namespaces_do_not_count(
    selectors: list[Any], namespaces: set[str]
) -> None:
    text = TEXT + "".join(IN_A_NAMESPACE.format(name) for name in ("shop", "bank"))
    store = Store().apply(read_text(text, "t.yaml"))[0]
    mesh = MeshConfig.model_validate({"discoverySelectors": selectors})
    world = build_world(store, (), (), mesh=mesh)
    for rows in (world.services, world.virtual_services, world.gateways):
        own = {row.namespace for row in rows if row.namespace != "istio-system"}
        assert own == namespaces
