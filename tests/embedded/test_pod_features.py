"""Rules by destination address, and tunnels: taken in pods, refused by name elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.errors import Refused
from meshproof.model.reader import read_text
from meshproof.project import ImageCommand, Project

PROJECT = Project(Path(), pods=False, images={"a:1": ImageCommand(command=["sleep", "1"])})
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: shop}
spec:
  hosts: [db.test]
  tcp:
    - match: [{port: 1}, {destinationSubnets: [10.1.0.0/16]}]
      route: [{destination: {host: db.test}}]
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: shop}
spec:
  hosts: [db.test]
  addresses: [10.0.0.1, 10.1.0.0/16]
  resolution: NONE
  ports: [{number: 5432, name: tcp, protocol: TCP}]
"""
TUNNEL = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: proxy, namespace: shop}
spec:
  host: proxy.test
  subsets:
    - {name: plain}
    - {name: bank, trafficPolicy: {tunnel: {targetHost: bank.test, targetPort: 443}}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: shop
  annotations: {traffic.sidecar.istio.io/%s}
spec: {containers: [{name: a, image: a:1, command: [sleep, "1"]}]}
"""


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (RULE, "spec.tcp[0].match[1].destinationSubnets"),
        (ENTRY, "spec.addresses[1]"),
        (ENTRY.replace("protocol: TCP", "protocol: HTTP"), ""),
        (TUNNEL, "spec.subsets[1].trafficPolicy.tunnel"),
        (
            POD % "excludeOutboundPorts: '3306'",
            "metadata.annotations.traffic.sidecar.istio.io/excludeOutboundPorts",
        ),
        (POD % "includeInboundPorts: '*'", ""),
    ],
)
def test_without_pods_it_is_refused(text: str, field: str) -> None:
    resources = read_text(text, "f.yaml")
    embedded_admission(replace(PROJECT, pods=True)).apply(Store(), resources, strict=False)
    try:
        embedded_admission(PROJECT).apply(Store(), resources, strict=False)
        refused = ""
    except Refused as error:
        (problem,) = error.problems
        assert "--pods" in problem.remedy
        refused = problem.field
    assert refused == field
