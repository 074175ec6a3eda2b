"""All checks, in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from meshproof.errors import Problem
from meshproof.lint.rules import HINTS, RULES, LintRule
from meshproof.lint.view import View
from meshproof.model.resource import Resource
from meshproof.translate.world import Service

Pods = Sequence[tuple[str, Mapping[str, str]]]


def warnings(
    resources: Sequence[Resource],
    services: Sequence[Service],
    replicas_labels: Pods,
    accounts: Collection[tuple[str, str]] = (),
) -> list[Problem]:
    """What is valid but dangling, shadowed or without effect, by file and line; no hints.

    ``resources``: all that is applied, in order of creation, namespaces filled in, 0.4's rules
    lowered (``meshproof.istio04``). ``replicas_labels``: namespace and labels of every replica.
    ``accounts``: namespace and service account of each; none where that is not known.
    """
    found = findings(resources, services, replicas_labels, accounts)
    return [problem for problem in found if problem.rule not in HINTS]


def findings(
    resources: Sequence[Resource],
    services: Sequence[Service],
    replicas_labels: Pods,
    accounts: Collection[tuple[str, str]] = (),
) -> list[Problem]:
    """The same with hints: what is good to know, and may be meant so."""
    view = View(resources, services, replicas_labels, accounts)
    found = [named(rule, problem) for rule in RULES if rule.check for problem in rule.check(view)]
    return sorted(dict.fromkeys(found), key=lambda p: (p.file, p.line))


def named(rule: LintRule, problem: Problem) -> Problem:
    """The problem with the id of what found it."""
    return replace(problem, rule=rule.id)
