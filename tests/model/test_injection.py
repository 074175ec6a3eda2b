"""Which pods have a sidecar: what Istio's injection webhook decides."""

from __future__ import annotations

import pytest

from meshproof.model.injection import injection_of
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource

_NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{}}}}}\n---\n"
_POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop, {}}}\n"
    "spec: {{containers: [{{name: a, image: a}}]}}\n---\n"
)
_OPERATOR = (
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: i}\n"
    "spec: {values: {sidecarInjectorWebhook: {enableNamespacesByDefault: false}}}\n---\n"
)
_YES, _NO = "sidecar.istio.io/inject: 'true'", "sidecar.istio.io/inject: 'false'"


def _has_sidecar(text: str) -> bool:
    resources = read_text(text, "f")
    (pod,) = (r for r in resources if r.kind == "Pod")
    return injection_of(resources).has_sidecar(pod)


@pytest.mark.parametrize(
    ("namespace", "pod", "expected"),
    [
        (None, "", True),
        ("", "", True),
        ("istio-injection: enabled", "", True),
        ("istio-injection: disabled", "", False),
        ("istio-injection: disabled", f"labels: {{{_YES}}}", False),
        ("istio-injection: enabled", f"labels: {{{_NO}}}", False),
        ("istio-injection: enabled", f"annotations: {{{_NO}}}", False),
        ("", f"labels: {{{_YES}}}, annotations: {{{_NO}}}", True),
        ("", f"labels: {{{_NO}}}, annotations: {{{_YES}}}", False),
        ("", "labels: {sidecar.istio.io/inject: 'no'}", False),
        ("", "labels: {sidecar.istio.io/inject: 'YES'}", True),
    ],
)
def test_the_namespace_and_the_pod_decide(namespace: str | None, pod: str, expected: bool) -> None:
    text = "" if namespace is None else _NAMESPACE.format(namespace)
    assert _has_sidecar(text + _POD.format(pod)) is expected


@pytest.mark.parametrize(
    ("namespace", "pod", "expected"),
    [
        ("", "", False),
        ("istio-injection: enabled", "", True),
        ("istio.io/rev: default", "", True),
        ("", f"labels: {{{_YES}}}", True),
    ],
)
def test_an_operator_may_say_that_namespaces_must_ask_for_sidecars(
    namespace: str, pod: str, expected: bool
) -> None:
    assert _has_sidecar(_OPERATOR + _NAMESPACE.format(namespace) + _POD.format(pod)) is expected


@pytest.mark.parametrize(
    ("pod", "field"),
    [
        (f"labels: {{{_NO}}}", "metadata.labels.sidecar.istio.io/inject"),
        (f"annotations: {{{_NO}}}", "metadata.annotations.sidecar.istio.io/inject"),
        ("", "metadata.namespace"),
    ],
)
def test_the_reason_has_a_place(pod: str, field: str) -> None:
    resources: list[Resource] = read_text(
        _NAMESPACE.format("istio-injection: disabled") + _POD.format(pod), "f"
    )
    workload = resources[-1]
    path, _ = injection_of(resources).reason(workload)
    assert workload.problem(path, "x").field == field
