"""Kinds that no model reads: some are ignored, those that matter are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.model.reader import read_text
from meshproof.project import Project

Refusal = Callable[..., list[str]]


def document(api: str, kind: str, more: str = "spec: {anything: [1]}") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n{more}\n"


@pytest.mark.parametrize(
    ("api", "kind", "namespace"),
    [
        ("networking.k8s.io/v1", "NetworkPolicy", "default"),
        ("policy/v1", "PodDisruptionBudget", "default"),
        ("batch/v1", "CronJob", "default"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", ""),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", ""),
        ("monitoring.coreos.com/v1", "ServiceMonitor", "default"),
        ("cert-manager.io/v1", "Certificate", "default"),
    ],
)
def test_what_is_ignored_is_named_once(api: str, kind: str, namespace: str) -> None:
    resources = read_text(document(api, kind), "f")
    admitted = embedded_admission(Project(root=Path())).apply(Store(), resources, strict=True)
    title = f"{kind} {namespace}/x" if namespace else f"{kind} x"
    assert admitted.messages == (f"{title} ignored",)
    (note,) = admitted.notes
    assert note.startswith(f"{kind} has no effect here: ")
    assert note.endswith(f"({title})")
    deletion = embedded_admission(Project(root=Path())).delete(admitted.store, resources)
    assert deletion.messages == (f"{title} deleted",)


@pytest.mark.parametrize(
    ("api", "kind", "message"),
    [
        ("argoproj.io/v1alpha1", "Rollout", "is not honoured here; write a Deployment"),
        ("linkerd.io/v1alpha2", "ServiceProfile", "is not honoured here; write a VirtualService"),
        ("extensions.istio.io/v1alpha1", "TrafficExtension", "is a kind of Istio that"),
        ("gateway.networking.k8s.io/v1", "UDPRoute", "Istio has no UDPRoute either"),
        ("v1", "PodTemplate", "is a kind of Kubernetes that"),
        ("networking.k8s.io/v1", "NetworkPolcy", "did you mean NetworkPolicy?"),
        ("networking.istio.io/v1", "NetworkPolicies", "is not a kind that meshproof knows"),
    ],
)
def test_what_would_change_the_mesh_is_refused(
    refusal: Refusal, api: str, kind: str, message: str
) -> None:
    (line,) = refusal(document(api, kind))
    assert message in line


def test_a_document_that_is_ignored_needs_a_name(refusal: Refusal) -> None:
    assert refusal("apiVersion: a.example.com/v1\nkind: Thing\nmetadata: {}\n") == [
        "f.yaml:3: Thing: metadata.name: is missing; wanted a name"
    ]


def test_a_wasm_plugin_from_a_registry_is_refused_with_the_reason_and_a_way(
    refusal: Refusal,
) -> None:
    spec = "spec: {url: 'oci://r.test/a:1'}"
    (line,) = refusal(document("extensions.istio.io/v1alpha1", "WasmPlugin", spec))
    assert "names a module of a registry or another host, which is valid, but meshproof" in line
    assert "wanted file://PATH" in line
