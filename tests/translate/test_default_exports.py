"""MeshConfig's defaults for exportTo: what says nothing itself gets them."""

from __future__ import annotations

from dataclasses import replace

from meshproof.translate.default_exports import exported, exported_services
from tests.translate.builders import destination_rule, service, service_entry, virtual_service

RULE = "{hosts: [echo], http: [{route: [{destination: {host: echo}}]}]%s}"


def test_rules_without_exportto_get_the_default() -> None:
    rules = [virtual_service(RULE % text) for text in ("", ', exportTo: ["*"]', ", exportTo: [a]")]
    assert [r.spec.export_to for r in exported(rules, ["."])] == [["."], ["*"], ["a"]]
    assert exported(rules, []) == tuple(rules)


def test_the_same_of_every_kind() -> None:
    entry = service_entry("{hosts: [a.test], ports: [{number: 80, name: http, protocol: HTTP}]}")
    assert exported([entry], ["."])[0].spec.export_to == ["."]
    assert exported([destination_rule()], ["~"])[0].spec.export_to == ["~"]


def test_services() -> None:
    own = replace(service("shop"), export_to=("*",))
    services = exported_services((service("echo"), own), ["."])
    assert [s.export_to for s in services] == [(".",), ("*",)]
