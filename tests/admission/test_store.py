"""Applied resources: what replaces what, and in which order Istio sees them."""

from __future__ import annotations

import pytest

from meshproof.admission.store import Store
from meshproof.errors import UsageError
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource


def rule(name: str, namespace: str = "default", weight: int = 100) -> Resource:
    text = f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [svcb]
  http: [{{route: [{{destination: {{host: svcb}}, weight: {weight}}}]}}]
"""
    return read_text(text, "rule.yaml")[0]


def test_created_configured_unchanged() -> None:
    store, messages = Store().apply([rule("a")])
    assert messages == ["VirtualService default/a created"]
    store, messages = store.apply([rule("a", weight=7)])
    assert messages == ["VirtualService default/a configured"]
    store, messages = store.apply([rule("a", weight=7)])
    assert messages == ["VirtualService default/a unchanged"]


def test_order_is_creation_then_name_and_replacing_keeps_it() -> None:
    store, _ = Store().apply([rule("z")])
    store, _ = store.apply([rule("b"), rule("a")])
    store, _ = store.apply([rule("z", weight=7)])
    assert [r.name for r in store.ordered()] == ["z", "a", "b"]


def test_delete_names_what_is_missing_and_leaves_the_former_store_alone() -> None:
    before, _ = Store().apply([rule("a")])
    after, messages, missing = before.delete([rule("a"), rule("b")])
    assert messages == ["VirtualService default/a deleted"]
    assert [r.name for r in missing] == ["b"]
    assert [r.name for r in before.ordered()] == ["a"]
    assert after.ordered() == []


def test_a_namespace_takes_along_what_is_in_it() -> None:
    namespace = read_text("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", "n.yaml")
    store, _ = Store().apply([*namespace, rule("a", "shop"), rule("b", "other")])
    store, messages, _ = store.delete(namespace)
    assert messages == ["Namespace shop deleted", "VirtualService shop/a deleted"]
    assert [r.title for r in store.ordered()] == ["VirtualService other/b"]


def test_rules_of_istio_0_4_are_lowered_once_for_a_store() -> None:
    old = read_text(
        "apiVersion: config.istio.io/v1alpha2\nkind: RouteRule\n"
        "metadata: {name: old, namespace: default}\n"
        "spec: {destination: {name: svcb}, route: [{labels: {version: v1}}]}\n",
        "old.yaml",
    )
    store, _ = Store().apply(old)
    assert [r.kind for r in store.lowered] == ["VirtualService", "DestinationRule"]
    assert store.lowered is store.lowered


def test_a_verbatim_store_compares_documents_as_they_were_written() -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {a: %s}}"
    one, other = (read_text(text % value, "n.yaml") for value in ("first", "second"))
    assert Store().apply(one)[0].apply(other)[1] == ["Namespace shop unchanged"]
    verbatim = Store(verbatim=True).apply(one)[0]
    assert verbatim.apply(one)[1] == ["Namespace shop unchanged"]
    assert verbatim.apply(other)[1] == ["Namespace shop configured"]


def test_a_verbatim_store_passes_over_no_kind() -> None:
    job = read_text("{apiVersion: batch/v1, kind: Job, metadata: {name: j}}", "j.yaml")
    assert Store().apply(job)[1] == ["Job j ignored"]
    assert Store(verbatim=True).apply(job)[1] == ["Job j created"]


def test_scaling_changes_the_document_too() -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\n"
        "spec:\n  selector: {matchLabels: {app: a}}\n  template:\n"
        "    metadata: {labels: {app: a}}\n    spec: {containers: [{name: c, image: i}]}\n"
    )
    store = Store().apply(read_text(text, "d.yaml"))[0].scale("shop", "a", 3)
    (deployment,) = store.resources
    assert deployment.spec.replicas == deployment.manifest["spec"]["replicas"] == 3
    with pytest.raises(UsageError, match="no Deployment or StatefulSet shop/b"):
        store.scale("shop", "b", 1)
