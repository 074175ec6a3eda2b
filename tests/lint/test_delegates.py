"""Delegates that are missing, or that nothing names."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint

HEAD = "apiVersion: networking.istio.io/v1\n"
ROOT = f"{HEAD}kind: VirtualService\nmetadata: {{name: root}}\nspec: {{hosts: [svcb], http: [{{delegate: D}}]}}\n"  # noqa: E501
PART = f"---\n{HEAD}kind: VirtualService\nmetadata: {{name: part, namespace: NS}}\nspec: {{SPEC}}\n"
TO = "http: [{route: [{destination: {host: svcb.default.svc.cluster.local}}]}]"


@pytest.mark.parametrize(
    ("delegate", "spec", "namespace", "expected"),
    [
        ("{name: part}", TO, "default", []),
        ("{name: part, namespace: other}", TO, "other", []),
        (
            "{name: gone}",
            TO,
            "default",
            ["there is no VirtualService default/gone", "does nothing"],
        ),
        ("{name: part}", f"hosts: [svca], {TO}", "default", ["has hosts, so it is not a delegate"]),
        (
            "{name: part, namespace: other}",
            f"exportTo: ['.'], {TO}",
            "other",
            ["is not exported to default"],
        ),
    ],
)
def test_delegation_that_leads_nowhere(
    lint: Lint, delegate: str, spec: str, namespace: str, expected: list[str]
) -> None:
    text = ROOT.replace("D", delegate) + PART.replace("NS", namespace).replace("SPEC", spec)
    messages = [p.found for p in lint(text)]
    assert len(messages) == len(expected)
    assert all(part in message for part, message in zip(expected, messages, strict=True))
