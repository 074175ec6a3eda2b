"""YAML that every reader reads alike."""

from __future__ import annotations

import pytest
import yaml

from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import to_yaml

ROUTE_RULE = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: one, namespace: default}
spec:
  destination: {name: svcb}
  precedence: 1
"""
DESTINATION_RULE = """
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: svcb, namespace: default, labels: {number: "1e3"}}
spec:
  host: svcb
  subsets:
  - {name: odd, labels: {short: "y", truth: "true", number: "010", plain: v1}}
"""


def read(text: str) -> list[Resource]:
    return read_text(text, "rules.yaml")


def test_text_stays_text_for_every_reader() -> None:
    text = to_yaml(read(DESTINATION_RULE))
    for value in ("1e3", "y", "010"):
        assert f'"{value}"' in text
    assert "plain: v1" in text
    assert yaml.safe_load(text)["spec"]["subsets"][0]["labels"]["truth"] == "true"
    assert read(text) == read(DESTINATION_RULE)


def test_other_api_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="RouteRule default/one"):
        to_yaml(read(ROUTE_RULE))
