"""Kinds and versions that are refused."""

from __future__ import annotations

import pytest

from meshproof.model.kinds import KINDS
from tests.model.conftest import Refusal

NOT_YET = "that meshproof's embedded mesh does not honour yet; leave it out, or run with MESH=kind"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("apiVersion: v1\nkind: Servce", "f.yaml:2: Servce: kind: Servce is not a kind that "
         "meshproof knows; wanted one of "
         + ", ".join(sorted({kind.written or kind.name for kind in KINDS.values()}))
         + "; did you mean Service?"),
        ("apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension",
         "f.yaml:2: TrafficExtension: kind: TrafficExtension is a kind of Istio " + NOT_YET),
        ("apiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet",
         "f.yaml:2: ListenerSet: kind: ListenerSet is a kind of the Gateway API that meshproof's"
         " embedded mesh does not honour yet: a Gateway has its own listeners alone; write them"
         " into the Gateway"),
        ("apiVersion: gateway.networking.k8s.io/v0\nkind: Gateway",
         "f.yaml:1: Gateway: apiVersion: Gateway has no version gateway.networking.k8s.io/v0; "
         "wanted gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1beta1"),
        ("apiVersion: extensions/v1beta1\nkind: Deployment",
         "f.yaml:1: Deployment: apiVersion: extensions/v1beta1 was removed in Kubernetes 1.16; "
         "wanted apps/v1; write apiVersion: apps/v1 and give it a spec.selector"),
        ("apiVersion: v2\nkind: Service", "f.yaml:1: Service: apiVersion: Service has no version "
         "v2; wanted v1"),
        ("kind: Service", "f.yaml:1: Service: apiVersion: is missing; wanted v1"),
    ],
)  # fmt: skip
def test_a_kind(refusal: Refusal, head: str, message: str) -> None:
    assert refusal(head + "\n") == [message]
