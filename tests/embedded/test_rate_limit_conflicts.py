"""Two rate limits that may overlap on one workload are refused; others are admitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.errors import Refused
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.project import Project
from tests.model.envoy_filters import BY_ITS_TYPE, FILTER, HEAD

ADMISSION = embedded_admission(Project(root=Path()))


def limit(name: str, labels: str, namespace: str = "default", patches: str = FILTER) -> Resource:
    text = (HEAD + patches).replace("app: productpage", labels)
    text = text.replace("name: f, namespace: default", f"name: {name}, namespace: {namespace}")
    (resource,) = read_text(text, f"{name}.yaml")
    return resource


FIRST = limit("first", "app: a")


@pytest.mark.parametrize(
    "second",
    [
        limit("second", "app: a"),
        limit("second", "tier: front"),
        limit("second", ""),
        limit("second", "app: a", "istio-system"),
        limit("second", "app: a", patches=FILTER + BY_ITS_TYPE),
    ],
    ids=["equal", "another label", "all", "root", "a gateway too"],
)
def test_two_that_may_meet_are_refused(second: Resource) -> None:
    store = ADMISSION.apply(Store(), [FIRST], strict=False).store
    with pytest.raises(Refused) as refused:
        ADMISSION.apply(store, [second], strict=False)
    (problem,) = refused.value.problems
    assert problem.file == "second.yaml"
    assert problem.line > 0
    assert "EnvoyFilter default/first (first.yaml:1) limits too" in problem.found
    with pytest.raises(Refused):
        ADMISSION.apply(Store(), [FIRST, second], strict=False)


@pytest.mark.parametrize(
    "second",
    [
        limit("second", "app: b"),
        limit("second", "app: a", "elsewhere"),
        limit("second", "app: a", patches=BY_ITS_TYPE),
        limit("first", "app: b"),
    ],
    ids=["another app", "another namespace", "a gateway", "the same, changed"],
)
def test_two_that_cannot_meet_are_taken(second: Resource) -> None:
    store = ADMISSION.apply(Store(), [FIRST], strict=False).store
    assert ADMISSION.apply(store, [second], strict=False).changed == (second,)
