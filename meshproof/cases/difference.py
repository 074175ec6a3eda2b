"""Compares two meshes of files: which requests are answered differently, and by which rule. Pure.

The requests are those that rules of either mesh are about (one a match, one a policy's rule), a
call from every workload to every service, and those of cases. It is a sample: where none differs,
a request that no rule names may still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.cases.case import CaseRequest
from meshproof.cases.facts import Facts, responder_of
from meshproof.cases.first_requests import candidates, choose
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.errors import UsageError
from meshproof.explain.result import Outcome

NOT_THERE = "the sender is not there"
_SENT = ("x-request-id", "x-forwarded-proto", "x-forwarded-for", "x-envoy-")
"""Headers that Envoys add to every request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one request: its aspects in words, and the rule that decides."""

    aspects: tuple[tuple[str, str], ...]
    rule: str = ""

    def get(self, name: str) -> str:
        return dict(self.aspects).get(name, "")


@dataclass(frozen=True, slots=True)
class Difference:
    """One request that is answered differently."""

    request: CaseRequest
    old: Answer
    new: Answer

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Aspect, old and new, where they differ."""
        names = dict.fromkeys(n for n, _ in (*self.old.aspects, *self.new.aspects))
        both = ((n, self.old.get(n), self.new.get(n)) for n in names)
        return [(name, old, new) for name, old, new in both if old != new]

    @property
    def rules(self) -> tuple[str, str]:
        return self.old.rule, self.new.rule


def compare(
    old: PlannedMesh, new: PlannedMesh, more: Iterable[CaseRequest] = ()
) -> tuple[list[Difference], int]:
    """The differences, grouped by the rules that decide, and how many requests were compared."""
    requests = list(dict.fromkeys([*_requests(new), *_requests(old), *more]))
    differences = [
        Difference(request, before, after)
        for request in requests
        if (before := _ask(old, request)).aspects != (after := _ask(new, request)).aspects
    ]
    order = {rules: i for i, rules in enumerate(dict.fromkeys(d.rules for d in differences))}
    return sorted(differences, key=lambda d: order[d.rules]), len(requests)


def _requests(mesh: PlannedMesh) -> Iterator[CaseRequest]:
    for candidate in candidates(mesh):
        choice = choose(candidate, mesh)
        request = choice[0] if choice else next(iter(candidate.requests), None)
        if request is None:
            continue
        yield request
        if request.sender not in mesh.gateways:
            for namespace, name, _ in mesh.workloads:
                yield replace(request, sender=f"{namespace}/{name}")
    for namespace, name, _ in mesh.workloads:
        for service in mesh.store.services:
            for port in service.ports[:1]:
                host = f"{service.name}.{service.namespace}"
                suffix = "" if port.port == 80 else f":{port.port}"
                yield CaseRequest(f"{namespace}/{name}", f"http://{host}{suffix}/")


def _ask(mesh: PlannedMesh, request: CaseRequest) -> Answer:
    try:
        facts = Facts(mesh.explain(request), mesh, request.sender)
    except UsageError as error:
        reason = NOT_THERE if "no workload" in str(error) else str(error)
        return Answer((("answer", reason),))
    rule = facts.deciding or next((o.rule for _, o in facts.outcomes if o.rule), None)
    return Answer(tuple(_aspects(facts)), str(rule) if rule else "")


def _aspects(facts: Facts) -> Iterator[tuple[str, str]]:
    shares: dict[str, float] = {}
    for chance, outcome in facts.outcomes:
        text = _describe(outcome)
        shares[text] = shares.get(text, 0.0) + chance
    texts = [t if c > 0.9999 else f"{t} {100 * c:.4g} %" for t, c in sorted(shares.items())]
    yield "answer", ", ".join(texts)
    arrivals = [o for _, o in facts.outcomes if responder_of(o) is not None]
    if not arrivals:
        return
    received = sorted({o.received for o in arrivals})
    yield "arrives as", ", ".join(received)
    headers = sorted({f"{k}: {v}" for k, v in arrivals[0].headers if not k.startswith(_SENT)})
    yield "with headers", ", ".join(headers)
    yield "timeout", ", ".join(f"{s:g}s" if s else "none" for s in sorted(facts.timeouts))
    policies = [a.get("retry_policy", {}) for a in facts.actions]
    yield (
        "retries",
        ", ".join(
            dict.fromkeys(
                f"{p.get('num_retries', 1)} on {p.get('retry_on', '')}"
                f"{', each ' + str(p['per_try_timeout']) if 'per_try_timeout' in p else ''}"
                if p
                else "none"
                for p in policies
            )
        ),
    )
    yield "delay", ", ".join(f"{s:g}s for {p:g} %" for s, p in sorted(facts.delays))
    copies = (
        f"{' or '.join(sorted(map(str, m.responders)))} {m.percent:g} %" for m in facts.mirrors
    )
    yield "mirrored to", ", ".join(copies)


def _describe(outcome: Outcome) -> str:
    responder = responder_of(outcome)
    if responder is not None:
        return str(responder)
    if outcome.location:
        return f"{outcome.status} to {outcome.location}"
    return f"{outcome.status}" if outcome.status is not None else "no answer"
