"""The result of ``explain``: a tree of steps with chances, and the outcomes at its leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.explain.origin import RuleOrigin

APP, OUTSIDE, TUNNEL = "app", "outside", "tunnel"
MESH, CLOSED = "mesh", "closed"
ANSWERED = (APP, OUTSIDE, TUNNEL)
"""Kinds of outcomes in which the mesh lets the request through."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``kind``: an ``app`` or a host ``outside`` answers, a ``tunnel`` carries bytes to one, the
    ``mesh`` itself answers, or the connection is ``closed`` without an answer."""

    kind: str
    why: str
    status: int | None = None
    """Of the mesh's own answer; an app's status is not known."""
    rule: RuleOrigin | None = None
    """The rule that makes the mesh answer."""
    location: str = ""
    body: str = ""
    namespace: str = ""
    workload: str = ""
    version: str = ""
    replica: str = ""
    address: str = ""
    received: str = ""
    """The request line as the app receives it."""
    headers: tuple[tuple[str, str], ...] = ()
    """The request's headers as the app receives them."""

    @property
    def answered(self) -> bool:
        return self.kind in ANSWERED

    @property
    def responder(self) -> str:
        """Equal for all replicas of a workload version."""
        if self.kind == APP:
            version = f" {self.version}" if self.version else ""
            return f"{self.namespace}/{self.workload}{version}"
        if self.answered:
            return self.workload or self.address
        return str(self.status) if self.status is not None else "no answer"


@dataclass(frozen=True, slots=True)
class Step:
    """What a proxy does with ``chance`` (0 to 1) of the requests that reach it."""

    chance: float
    at: str
    """``svca-1 outbound``; empty for a branch of the previous step."""
    text: str
    rule: RuleOrigin | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    """Earlier routes, and why each did not take the request."""
    branches: tuple[Step, ...] = ()
    outcome: Outcome | None = None
    envoy: Mapping[str, Any] = field(default_factory=dict)
    """The Envoy configuration that decided: ``route``, ``filters`` by name, ``cluster``."""
    policies: tuple[RuleOrigin, ...] = ()
    """The policies that let the request in."""

    def leaves(self, chance: float = 1.0) -> Iterator[tuple[float, Outcome]]:
        reached = chance * self.chance
        if self.outcome is not None:
            yield reached, self.outcome
        for step in self.branches:
            yield from step.leaves(reached)

    def with_notes(self, notes: Sequence[str]) -> Step:
        return replace(self, notes=(*notes, *self.notes)) if notes else self


@dataclass(frozen=True, slots=True)
class Explanation:
    request: str
    source: str
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...] = field(default=())
    """What the explanation assumes, since the configuration does not tell."""
    pods: bool = True
    """Whether it is that of a mesh whose replicas are in pods."""

    def outcomes(self) -> list[tuple[float, Outcome]]:
        """Every outcome with its chance (0 to 1), the most likely first; equal ones are merged."""
        chances: dict[Outcome, float] = {}
        for step in self.steps:
            for chance, outcome in step.leaves():
                if chance > 0:
                    chances[outcome] = chances.get(outcome, 0.0) + chance
        return sorted(((c, o) for o, c in chances.items()), key=lambda pair: -pair[0])

    @property
    def answered(self) -> float:
        """The share of requests (0 to 1) that an app or an outside host answers."""
        return sum(chance for chance, outcome in self.outcomes() if outcome.answered)

    def as_dict(self) -> dict[str, Any]:
        return {
            "request": self.request,
            "from": self.source,
            "answered": _percent(self.answered),
            "outcomes": [
                {"chance": _percent(c), "who": o.responder, **_outcome(o)}
                for c, o in self.outcomes()
            ],
            "steps": [_step(s) for s in self.steps],
            "assumed": list(self.assumptions),
            "pods": self.pods,
        }


def _percent(chance: float) -> float:
    return round(100 * chance, 4)


def _step(step: Step) -> dict[str, Any]:
    return {
        "chance": _percent(step.chance),
        "at": step.at,
        "says": step.text,
        "rule": _rule(step.rule),
        "notes": list(step.notes),
        "passed": [{"route": route, "why": why} for route, why in step.skipped],
        "then": [_step(s) for s in step.branches],
        "outcome": None if step.outcome is None else _outcome(step.outcome),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    names = ("kind", "why", "status", "location", "body", "namespace", "workload", "version")
    fields = {name: getattr(outcome, name) for name in (*names, "replica", "address", "received")}
    return {**fields, "rule": _rule(outcome.rule)}


def _rule(rule: RuleOrigin | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {
        "kind": rule.kind,
        "namespace": rule.namespace,
        "name": rule.name,
        "field": rule.field,
        "file": rule.file,
        "line": rule.line,
    }
