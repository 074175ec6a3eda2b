"""Services that are refused."""

from __future__ import annotations

import pytest

from tests.model.conftest import Refusal
from tests.model.manifests import service


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (service(""), "f.yaml:4: Service a: spec.ports: is empty; wanted one or more, or "
         "clusterIP: None"),
        (service("{port: 80}, {port: 81}"), "f.yaml:4: Service a: spec.ports: need a name each; "
         "wanted a different name for each port"),
        (service("{port: 80, name: a}, {port: 80, name: b}"), "f.yaml:4: Service a: spec.ports: "
         "have a number twice; wanted different numbers"),
        (service("{port: 80}", ", type: ExternalName"), "f.yaml:4: Service a: spec.externalName: "
         "is missing, and type is ExternalName; wanted a host"),
    ],
)  # fmt: skip
def test_a_service_is_refused(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text) == [message]
