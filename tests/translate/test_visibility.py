"""exportTo of Services and DestinationRules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.from_kube import services_of
from tests.translate.builders import CLIENT, destination_rule, service, world

FAR = replace(CLIENT, namespace="far")


@pytest.mark.parametrize(
    ("export_to", "near", "far"),
    [((), True, True), (("*",), True, True), ((".",), True, False), (("far",), False, True),
     (("~",), False, False)],
)  # fmt: skip
def test_a_service_is_known_where_it_is_exported_to(
    export_to: tuple[str, ...], near: bool, far: bool
) -> None:
    mesh = world(services=(replace(service("web"), export_to=export_to),))
    cluster = "outbound|80||web.default.svc.cluster.local"
    assert [cluster in build_outbound(mesh, proxy).clusters for proxy in (CLIENT, FAR)] == [
        near,
        far,
    ]


def test_the_annotation_reaches_the_service_and_the_names_of_its_pods() -> None:
    text = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a, annotations: {networking.istio.io/exportTo: "."}}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: a}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: db}]}
"""
    result = {s.name: s.export_to for s in services_of(read_text(text, "f.yaml"))}
    assert result == {"db": (".",), "db-0.db": (".",)}


@pytest.mark.parametrize(
    ("export_to", "policy"), [("[far]", "LEAST_REQUEST"), ("[default]", "RANDOM")]
)
def test_a_rule_for_another_namespace_alone_is_not_for_its_own(export_to: str, policy: str) -> None:
    random = "trafficPolicy: {loadBalancer: {simple: RANDOM}}"
    rule = destination_rule(f"{{host: echo, exportTo: {export_to}, {random}}}")
    clusters: Any = build_outbound(world(destination_rules=(rule,)), CLIENT).clusters
    assert clusters["outbound|80||echo.default.svc.cluster.local"]["lb_policy"] == policy
