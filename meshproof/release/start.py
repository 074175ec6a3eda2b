"""How a release begins: by a new plan, or by that of an unfinished release. Changes nothing.

A release whose process died is resumed with its original plan and limits, at the step that it had
reached, on the evidence of that step from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meshproof.errors import UsageError
from meshproof.release.journal import Journal, JournalEntry
from meshproof.release.state import Phase, Plan, ReleaseState
from meshproof.release.weights import WeightedRule, find_weighted_rule, heaviest_version


@dataclass(frozen=True, slots=True)
class Start:
    rule: WeightedRule
    entry: JournalEntry
    note: str = ""
    """What became of an unfinished release, if there was one."""


def locate(service: str, titles: Iterable[str]) -> tuple[str, str]:
    """Namespace and name of ``NAME`` or ``NAMESPACE/NAME`` among ``Service shop/cart``, ...

    Raises UsageError where no Service, or more than one, has that name.
    """
    services = [title.removeprefix("Service ") for title in titles if title.startswith("Service ")]
    matches = [s for s in services if service in (s, s.rpartition("/")[2])]
    if len(matches) != 1:
        listed = ", ".join(matches or services) or "none"
        raise UsageError(f"release: {service}: wanted one Service of that name; there is {listed}")
    namespace, _, name = matches[0].partition("/")
    return namespace, name


def start(documents: Sequence[dict[str, Any]], journal: Journal, plan: Plan) -> Start:
    """A release by ``plan``; where its ``old`` is empty, it is the version with most of the calls.

    ``documents`` are the rules in force. Raises UsageError for an invalid plan, for rules whose
    weights cannot be moved, and where a release to another version is unfinished.
    """
    unfinished = journal.read()
    if unfinished is None:
        return _begin(documents, plan)
    note = f"a release to {unfinished.state.plan.new} was left, and undone; this one begins anew"
    resumed = _resume(documents, unfinished, plan.new)
    return resumed or replace(_begin(documents, plan), note=note)


def abort(documents: Sequence[dict[str, Any]], journal: Journal, service: str) -> Start:
    """Roll back an unfinished release. Raises UsageError where there is none."""
    unfinished = journal.read()
    if unfinished is None:
        raise UsageError(f"release: no release of {service} is under way")
    plan = unfinished.state.plan
    rule = find_weighted_rule(documents, plan.service, plan.namespace, plan.old, plan.new)
    return Start(rule, replace(unfinished, state=unfinished.state.back()))


def _begin(documents: Sequence[dict[str, Any]], plan: Plan) -> Start:
    rule = find_weighted_rule(documents, plan.service, plan.namespace, plan.old, plan.new)
    complete = replace(plan, old=plan.old or heaviest_version(rule, plan.new))
    if problems := complete.problems():
        raise UsageError("release: " + "; ".join(problems))
    return Start(rule, JournalEntry(ReleaseState(complete)))


def _resume(
    documents: Sequence[dict[str, Any]], unfinished: JournalEntry, new: str
) -> Start | None:
    """None where the weights are no longer those of that release: the mesh has undone it."""
    state, plan = unfinished.state, unfinished.state.plan
    if plan.new != new:
        raise UsageError(
            f"release: a release of {plan.service} to {plan.new} was left at {state.weight} %; "
            f"resume it with --to {plan.new}, or roll it back with --abort"
        )
    rule = find_weighted_rule(documents, plan.service, plan.namespace, plan.old, plan.new)
    if state.phase is Phase.WATCHING and rule.weights().get(new, 0) != state.weight:
        return None
    note = f"resumed at {state.weight} % ({state.phase}), with its original plan"
    return Start(rule, unfinished, note)
