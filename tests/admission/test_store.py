"""Applied resources: what replaces what, and in which order Istio sees them."""

from __future__ import annotations

from meshproof.admission.store import Store
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
    store, said = Store().apply([rule("a")])
    assert said == ["VirtualService default/a created"]
    store, said = store.apply([rule("a", weight=7)])
    assert said == ["VirtualService default/a configured"]
    store, said = store.apply([rule("a", weight=7)])
    assert said == ["VirtualService default/a unchanged"]


def test_order_is_creation_then_name_and_replacing_keeps_it() -> None:
    store, _ = Store().apply([rule("z")])
    store, _ = store.apply([rule("b"), rule("a")])
    store, _ = store.apply([rule("z", weight=7)])
    assert [r.name for r in store.ordered()] == ["z", "a", "b"]


def test_delete_names_what_is_missing_and_leaves_the_former_store_alone() -> None:
    before, _ = Store().apply([rule("a")])
    after, said, missing = before.delete([rule("a"), rule("b")])
    assert said == ["VirtualService default/a deleted"]
    assert [r.name for r in missing] == ["b"]
    assert [r.name for r in before.ordered()] == ["a"]
    assert after.ordered() == []


def test_a_namespace_takes_along_what_is_in_it() -> None:
    namespace = read_text("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", "n.yaml")
    store, _ = Store().apply([*namespace, rule("a", "shop"), rule("b", "other")])
    store, said, _ = store.delete(namespace)
    assert said == ["Namespace shop deleted", "VirtualService shop/a deleted"]
    assert [r.title for r in store.ordered()] == ["VirtualService other/b"]
