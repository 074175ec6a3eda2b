"""Findings, hints among them, of a text of rules on one small mesh."""

from __future__ import annotations

from meshproof.errors import Problem
from meshproof.istio04.lower import lower
from meshproof.lint.linter import find_all
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.world import Service, ServicePort

_PORT = (ServicePort("http", 80, 8080, "HTTP"),)
SERVICES = [Service(name, "default", {"app": name}, _PORT) for name in ("svca", "svcb")]
PODS = [("default", {"app": "svca"}), ("default", {"app": "svcb"}), ("other", {"app": "far"})]
_ACCOUNTS = {("default", "svca"), ("default", "svcb"), ("other", "far")}


def findings_of(text: str, *rules: str, accounts: bool = True) -> list[Problem]:
    """The findings of these rules; ``accounts``: whether service accounts are known."""
    resources = with_default_namespace(read_text(text, "rules.yaml"), "default")
    findings = find_all(lower(resources, SERVICES), SERVICES, PODS, _ACCOUNTS if accounts else ())
    assert all(problem.rule for problem in findings)
    return [problem for problem in findings if problem.rule in rules]


def authorization_policy(source: str = "", paths: str = '["/a"]') -> str:
    """An AuthorizationPolicy of svcb with one rule."""
    origin = f"from: [{{source: {{{source}}}}}], " if source else ""
    return f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: p}}
spec:
  selector: {{matchLabels: {{app: svcb}}}}
  rules: [{{{origin}to: [{{operation: {{paths: {paths}}}}}]}}]
"""
