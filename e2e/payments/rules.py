"""The suite's rules and manifests; proofs read the expected split from the rule itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from meshproof.assertions.expected_split import read_expected_split
from meshproof.model.reader import read_resources

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
V1ALPHA2 = RULES / "v1alpha2"

EGRESS_BY_ADDRESS = {
    "v1": RULES / "egress_msgd_by_address.yaml",
    "v1alpha2": V1ALPHA2 / "enable-svcb-engress-rule.yaml",
}
"""Dialect -> the rule that allows egress to msgd's address."""


def documents(*files: Path) -> list[dict[str, Any]]:
    """The YAML documents of some files, in order."""
    return [doc for f in files for doc in yaml.safe_load_all(f.read_text()) if doc]


def weights(rule: Path) -> Mapping[str, int]:
    """Version of svcb -> weight, of a rule with one route list; 0 for a declared version that
    the route leaves out."""
    return read_expected_split(read_resources([rule]), "svcb", rule.name).weights


def deployments(app: str, environment: dict[str, str], *, version: str = "") -> str:
    """The manifests' Deployments of an app (of one version of it), with these variables set in
    its containers."""
    matches = [
        doc
        for doc in documents(*sorted((ROOT / "manifests").glob("*.yaml")))
        if doc["kind"] == "Deployment"
        and doc["metadata"]["labels"]["app"] == app
        and version in ("", doc["metadata"]["labels"]["version"])
    ]
    assert matches, f"manifests/ have no Deployment with the label app: {app}"
    for doc in matches:
        for container in doc["spec"]["template"]["spec"]["containers"]:
            others = [e for e in container.get("env", []) if e["name"] not in environment]
            added = [{"name": name, "value": value} for name, value in environment.items()]
            container["env"] = others + added
    return yaml.safe_dump_all(matches, sort_keys=False)
