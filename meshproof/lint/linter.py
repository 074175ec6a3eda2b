"""Runs every check."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.lint.rule import LintRule
from meshproof.lint.rules import HINTS, RULES
from meshproof.model.resource import Resource
from meshproof.translate.world import Service

Pods = Sequence[tuple[str, Mapping[str, str]]]


def find_warnings(
    resources: Sequence[Resource],
    services: Sequence[Service],
    replicas_labels: Pods,
    accounts: Collection[tuple[str, str]] = (),
) -> list[Problem]:
    """What is valid but dangling, shadowed or without effect, by file and line, without hints.

    ``resources``: everything that is applied, in order of creation, with namespaces filled in and
    0.4's rules lowered (``meshproof.istio04``). ``replicas_labels``: namespace and labels of every
    replica. ``accounts``: namespace and service account of each; empty if unknown.
    """
    findings = find_all(resources, services, replicas_labels, accounts)
    return [problem for problem in findings if problem.rule not in HINTS]


def find_all(
    resources: Sequence[Resource],
    services: Sequence[Service],
    replicas_labels: Pods,
    accounts: Collection[tuple[str, str]] = (),
) -> list[Problem]:
    """Warnings and hints. A hint is worth knowing, and may well be intended."""
    context = LintContext(resources, services, replicas_labels, accounts)
    findings = [
        with_rule(rule, problem) for rule in RULES if rule.check for problem in rule.check(context)
    ]
    return sorted(dict.fromkeys(findings), key=lambda p: (p.file, p.line))


def with_rule(rule: LintRule, problem: Problem) -> Problem:
    """The problem with the id of the check that found it."""
    return replace(problem, rule=rule.id)
