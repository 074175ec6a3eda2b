"""What a release begins with: a new plan, or one that its process left behind. Reads, changes none.

A release whose process died is taken up with the plan and the limits that it began with, at the
step where it stood, on the evidence of that step from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meshproof.errors import UsageError
from meshproof.release.journal import Journal, JournalEntry
from meshproof.release.state import Course, Phase, Plan
from meshproof.release.weights import WeightedRule, find, heaviest


@dataclass(frozen=True, slots=True)
class Start:
    rule: WeightedRule
    entry: JournalEntry
    note: str = ""
    """What was found and made of it, where a release had been left."""


def locate(service: str, titles: Iterable[str]) -> tuple[str, str]:
    """Namespace and name of ``NAME`` or ``NAMESPACE/NAME`` among ``Service payments/svcb``, ...

    Raises UsageError where none or several are so called.
    """
    places = [title.removeprefix("Service ") for title in titles if title.startswith("Service ")]
    found = [p for p in places if service in (p, p.rpartition("/")[2])]
    if len(found) != 1:
        listed = ", ".join(found or places) or "none"
        raise UsageError(f"release: {service}: wanted one Service of that name; there is {listed}")
    namespace, _, name = found[0].partition("/")
    return namespace, name


def start(documents: Sequence[dict[str, Any]], ledger: Journal, plan: Plan) -> Start:
    """A release by ``plan``, whose ``old`` may be empty: then it is what gets most of the calls.

    ``documents`` are the rules in force. Raises UsageError for a plan that is none, for rules that
    cannot be moved, and where a release to another version was left.
    """
    left = ledger.read()
    if left is None:
        return _anew(documents, plan)
    undone = f"a release to {left.course.plan.new} was left, and undone; this one begins anew"
    return _taken_up(documents, left, plan.new) or replace(_anew(documents, plan), note=undone)


def abort(documents: Sequence[dict[str, Any]], ledger: Journal, service: str) -> Start:
    """Roll a release back that its process left. Raises UsageError where there is none."""
    left = ledger.read()
    if left is None:
        raise UsageError(f"release: no release of {service} is under way")
    plan = left.course.plan
    rule = find(documents, plan.service, plan.namespace, plan.old, plan.new)
    return Start(rule, replace(left, course=left.course.back()))


def _anew(documents: Sequence[dict[str, Any]], plan: Plan) -> Start:
    rule = find(documents, plan.service, plan.namespace, plan.old, plan.new)
    whole = replace(plan, old=plan.old or heaviest(rule, plan.new))
    if problems := whole.problems():
        raise UsageError("release: " + "; ".join(problems))
    return Start(rule, JournalEntry(Course(whole)))


def _taken_up(documents: Sequence[dict[str, Any]], left: JournalEntry, new: str) -> Start | None:
    """None where the weights are not as that release made them: the mesh has undone it."""
    course, plan = left.course, left.course.plan
    if plan.new != new:
        raise UsageError(
            f"release: a release of {plan.service} to {plan.new} was left at {course.weight} %; "
            f"take it up with --to {plan.new}, or roll it back with --abort"
        )
    rule = find(documents, plan.service, plan.namespace, plan.old, plan.new)
    if course.phase is Phase.WATCHING and rule.weights().get(new, 0) != course.weight:
        return None
    note = f"taken up at {course.weight} % ({course.phase}), with the plan that it began with"
    return Start(rule, left, note)
