"""What only the written rules can be warned about; YAML that other readers read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from meshproof.istio04.dump import to_yaml
from meshproof.istio04.notes import warnings

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

RULE = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: one}
spec:
  destination: {name: svcb}
"""
ENTRY = """
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: svcb, labels: {number: "1e3"}}
spec:
  host: svcb
  subsets:
  - {name: odd, labels: {short: "y", truth: "true", number: "010", plain: v1}}
"""


@pytest.mark.parametrize(
    ("body", "count", "field"),
    [
        ("  match: {source: {name: nobody}}", 1, "spec.match.source"),
        ("  match: {source: {name: svca}}", 0, ""),
        ("  httpFault: {abort: {httpStatus: 500}}", 1, "spec.httpFault.abort"),
        ("  httpFault: {delay: {fixedDelay: 1s}}", 1, "spec.httpFault.delay"),
        ("  httpFault: {abort: {httpStatus: 500, percent: 0}}", 0, ""),
    ],
)
def test_warnings(read: Read, services: list[Service], body: str, count: int, field: str) -> None:
    found = warnings(read(RULE + body), services)
    assert len(found) == count
    assert all(p.field == field and p.line == 7 and "Istio 0.4" in p.found for p in found)


def test_texts_stay_texts_for_every_reader(read: Read) -> None:
    text = to_yaml(read(ENTRY))
    for value in ("1e3", "y", "010"):
        assert f'"{value}"' in text
    assert "plain: v1" in text
    assert yaml.safe_load(text)["spec"]["subsets"][0]["labels"]["truth"] == "true"
    assert read(text) == read(ENTRY)


def test_other_groups_are_not_printed(read: Read) -> None:
    with pytest.raises(ValueError, match="RouteRule default/one"):
        to_yaml(read(RULE + "  precedence: 1"))
