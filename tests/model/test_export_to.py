"""exportTo: what Istio's validation takes, and a Service's annotation."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text

RULES = {
    "VirtualService": "hosts: [a], http: [{route: [{destination: {host: a}}]}]",
    "DestinationRule": "host: a",
    "ServiceEntry": "hosts: [a.test], ports: [{number: 80, name: http, protocol: HTTP}]",
}


def _rule(kind: str, export_to: str, more: str = "") -> str:
    return (
        f"apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: a}}\n"
        f"spec: {{{RULES[kind]}, exportTo: {export_to}{more}}}\n"
    )


@pytest.mark.parametrize("kind", ["VirtualService", "DestinationRule"])
def test_a_rule_is_not_hidden_from_everybody(kind: str) -> None:
    with pytest.raises(Refused, match=r'spec\.exportTo: has "~", which Istio takes in a Service'):
        read_text(_rule(kind, "['~']"), "f.yaml")


def test_a_service_entry_may_be_hidden_from_everybody() -> None:
    (entry,) = read_text(_rule("ServiceEntry", "['~']"), "f.yaml")
    assert entry.spec.export_to == ["~"]


@pytest.mark.parametrize("kind", RULES)
def test_one_namespace_twice_is_refused(kind: str) -> None:
    with pytest.raises(Refused, match='has "b" twice'):
        read_text(_rule(kind, "[b, c, b]"), "f.yaml")


@pytest.mark.parametrize(
    ("export_to", "accepted"), [("['.']", True), ("['*']", False), ("[b, c]", False)]
)
def test_a_rule_of_selected_clients_stays_at_home(export_to: str, accepted: bool) -> None:
    text = _rule("DestinationRule", export_to, ", workloadSelector: {matchLabels: {a: b}}")
    if accepted:
        assert read_text(text, "f.yaml")
    else:
        with pytest.raises(Refused, match=r"spec\.exportTo: reaches beyond its own namespace"):
            read_text(text, "f.yaml")


@pytest.mark.parametrize(("kind", "export_to"), [("Service", ("a", ".")), ("ServiceAccount", ())])
def test_the_annotation_of_a_service_alone_is_read(kind: str, export_to: tuple[str, ...]) -> None:
    spec = "spec: {ports: [{port: 80}]}" if kind == "Service" else ""
    text = (
        f"apiVersion: v1\nkind: {kind}\n"
        "metadata: {name: a, annotations: {networking.istio.io/exportTo: 'a, .,'}}\n" + spec
    )
    (resource,) = read_text(text, "f.yaml")
    assert resource.export_to == export_to
