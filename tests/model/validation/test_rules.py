"""The rules on their way in: with a line, beside what the models say, and as warnings."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text
from meshproof.model.validation.rules import find_violations
from tests.model.validation.judge import check, judge

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web}
spec:
  servers:
  - port: {number: 443, protocol: HTTPS}
    hosts: [a.test]
    tls: {mode: SIMPLE, credentialName: a}
"""


def test_a_violation_has_its_line_and_is_refused_whatever_else_is_honoured() -> None:
    with pytest.raises(Refused) as refused:
        read_text(GATEWAY, "f.yaml")
    (problem,) = [p for p in refused.value.problems if not p.unsupported]
    assert str(problem) == (
        "f.yaml:6: Gateway web: spec.servers[0].port.name: is missing; wanted the port's name; "
        "such as name: http"
    )


def test_what_a_model_says_already_is_not_said_twice() -> None:
    text = GATEWAY.replace("[a.test]", "[]").replace("443", "443, name: a")
    with pytest.raises(Refused) as refused:
        read_text(text, "f.yaml")
    fields = [p.field for p in refused.value.problems if not p.unsupported]
    assert fields == ["spec.servers[0].hosts"]


def test_what_istio_only_warns_of_is_read() -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\n"
        "spec: {workloadSelector: {labels: {}}, outboundTrafficPolicy: {mode: ALLOW_ANY}}\n"
    )
    assert len(read_text(text, "f.yaml")) == 1


def test_another_group_has_other_rules() -> None:
    document = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "spec": {}}
    assert find_violations(document) == []


@pytest.mark.parametrize(
    ("kind", "spec", "field", "message"),
    [
        ("ServiceEntry", f"{{hosts: [a.test], addresses: [{'1.1.1.1, ' * 257}]}}", "addresses",
         "257 entries"),
        ("WorkloadEntry", f"{{address: 1.1.1.1, network: {'a' * 2049}}}", "network",
         "2049 characters"),
        ("AuthorizationPolicy", f"{{selector: {{matchLabels: {{a: {'b' * 64}}}}}}}",
         "selector.matchLabels.a", "64 characters"),
    ],
)  # fmt: skip
def test_sizes(kind: str, spec: str, field: str, message: str) -> None:
    check(kind, spec, field, message)


@pytest.mark.parametrize("spec", ["[]", "{http: 5}", "{http: [5]}", "{hosts: {}}", "7", "{tls: x}"])
def test_a_wrong_type_is_the_models_business(spec: str) -> None:
    judge("VirtualService", spec)  # raises nothing
