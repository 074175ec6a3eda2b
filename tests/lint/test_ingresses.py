"""Ingresses that nothing serves."""

from __future__ import annotations

import pytest

from meshproof.lint.rules import HINTS
from tests.lint.findings import findings_of

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front%s}
spec: {%sdefaultBackend: {service: {name: svca, port: {number: 80}}}}
"""
CLASS = """\
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: mesh}
spec: {controller: istio.io/ingress-controller}
"""
ISTIO = ", annotations: {kubernetes.io/ingress.class: istio}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (INGRESS % ("", "ingressClassName: nginx, ") + CLASS, "is of class nginx"),
        (INGRESS % ("", "ingressClassName: mesh, "), "is of class mesh"),
        (INGRESS % ("", "") + CLASS, "has no class"),
    ],
)
def test_an_ingress_of_another_class_is_hinted_at(text: str, words: str) -> None:
    (problem,) = findings_of(text, "ingress-unserved")
    assert words in problem.found
    assert problem.rule in HINTS


@pytest.mark.parametrize(
    "text", [INGRESS % (ISTIO, ""), INGRESS % ("", "ingressClassName: mesh, ") + CLASS]
)
def test_one_of_istio_s_class_is_not(text: str) -> None:
    assert findings_of(text, "ingress-unserved") == []
