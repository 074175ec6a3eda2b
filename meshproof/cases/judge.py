"""Compares what an explanation says with what a case expects. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from meshproof.cases.facts import Facts, responder_of
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.model import PERCENT, Expect
from meshproof.cases.names import (
    Target,
    anybody,
    not_reached_of,
    outside_target,
    share_target,
    workload_target,
)
from meshproof.cases.route_judge import ROUTE_CHECKS
from meshproof.explain.origin import RuleOrigin
from meshproof.explain.result import Outcome

_CLOSE = 1e-9


def judge(expect: Expect, facts: Facts) -> list[Mismatch]:
    """Every field that is not as expected. Raises UsageError for unknown names."""
    judgement = _Judgement(expect, facts)
    return [
        mismatch
        for name in Expect.model_fields
        if name in expect.model_fields_set
        for mismatch in _check(name, judgement)
    ]


def _check(name: str, judgement: _Judgement) -> Iterator[Mismatch]:
    if name in _CHECKS:
        yield from _CHECKS[name](judgement)
    elif name in ROUTE_CHECKS:
        yield from ROUTE_CHECKS[name](judgement.expect, judgement.facts)


def describe_outcome(outcome: Outcome) -> str:
    responder = responder_of(outcome)
    if responder is not None:
        return str(responder)
    if outcome.location:
        return f"{outcome.status} to {outcome.location}"
    return f"{outcome.status if outcome.status is not None else 'no answer'} ({outcome.why})"


@dataclass(frozen=True)
class _Judgement:
    expect: Expect
    facts: Facts

    def each_outcome(
        self, field: str, wanted: str, fits: Callable[[Outcome], bool]
    ) -> Iterator[Mismatch]:
        """One mismatch if any outcome does not fit."""
        wrong = [(c, o) for c, o in self.facts.outcomes if not fits(o)]
        if wrong:
            texts = dict.fromkeys(_with_share(c, describe_outcome(o)) for c, o in wrong)
            rule = wrong[0][1].rule or self.facts.deciding
            yield Mismatch(field, wanted, "; ".join(texts), rule)

    def each_arrival(
        self, field: str, wanted: str, read: Callable[[Outcome], str | None], expected: str | None
    ) -> Iterator[Mismatch]:
        """Of every request that arrives; one that does not is a mismatch."""
        for _, outcome in self.facts.outcomes:
            if responder_of(outcome) is None:
                yield from self.each_outcome(field, wanted, lambda o: responder_of(o) is not None)
                return
            value = read(outcome)
            if value != expected:
                found_text = "no such header" if value is None else value
                yield Mismatch(field, wanted, found_text, self.facts.deciding)
                return

    def workload(self) -> Iterator[Mismatch]:
        expect = self.expect
        if expect.split is not None:
            return
        assert expect.workload is not None
        target = workload_target(self.facts.mesh, expect.workload, expect.version)
        wanted = f"{expect.workload} {expect.version or ''}".rstrip()
        yield from self.each_outcome(
            "version" if expect.version else "workload",
            wanted,
            lambda o: target.covers(responder_of(o), None),
        )

    def outside(self) -> Iterator[Mismatch]:
        assert self.expect.outside is not None
        target = outside_target(self.facts.mesh, self.expect.outside)
        yield from self.each_outcome(
            "outside", self.expect.outside, lambda o: target.covers(responder_of(o), None)
        )

    def status(self) -> Iterator[Mismatch]:
        status = self.expect.status
        yield from self.each_outcome("status", str(status), lambda o: o.status == status)

    def redirect(self) -> Iterator[Mismatch]:
        location = self.expect.redirect
        yield from self.each_outcome("redirect", str(location), lambda o: o.location == location)

    def refused_by(self) -> Iterator[Mismatch]:
        text = self.expect.refused_by or ""
        yield from self.each_outcome("refusedBy", text, lambda o: _is_refused_by(o, text))

    def allowed(self) -> Iterator[Mismatch]:
        allowed = bool(self.expect.allowed)
        wanted = "an app or a host outside gets it" if allowed else "nobody gets it"
        yield from self.each_outcome(
            "allowed", wanted, lambda o: (responder_of(o) is not None) == allowed
        )

    def path(self) -> Iterator[Mismatch]:
        path = self.expect.path or ""
        query = "?" in path

        def read(outcome: Outcome) -> str:
            parts = urlsplit(outcome.received.partition(" ")[2])
            return f"{parts.path}?{parts.query}" if query and parts.query else parts.path

        yield from self.each_arrival("path", path, read, path)

    def host(self) -> Iterator[Mismatch]:
        host = self.expect.host

        def read(outcome: Outcome) -> str:
            return urlsplit(outcome.received.partition(" ")[2]).netloc

        yield from self.each_arrival("host", str(host), read, host)

    def headers(self) -> Iterator[Mismatch]:
        for name, value in self.expect.headers.items():

            def read(outcome: Outcome, name: str = name) -> str | None:
                values = [v for k, v in outcome.headers if k == name.lower()]
                return ",".join(values) if values else None

            wanted = "no such header" if value is None else value
            yield from self.each_arrival(f"headers.{name}", wanted, read, value)

    def split(self) -> Iterator[Mismatch]:
        expect, facts = self.expect, self.facts
        targets = {
            key: share_target(facts.mesh, key, expect.workload) for key in expect.split or ()
        }
        shares = dict.fromkeys(targets, 0.0)
        others: dict[str, float] = {}
        for chance, outcome in facts.outcomes:
            key = _share_key(targets, outcome)
            if key is None:
                text = describe_outcome(outcome)
                others[text] = others.get(text, 0.0) + chance
            else:
                shares[key] += chance
        tolerance = (expect.tolerance or 0.0) + PERCENT
        found_text = ", ".join(_with_share(c, k) for k, c in {**shares, **others}.items())
        off = [k for k, p in (expect.split or {}).items() if abs(100 * shares[k] - p) > tolerance]
        if off or sum(others.values()) > tolerance / 100:
            wanted = ", ".join(f"{k} {p:g} %" for k, p in (expect.split or {}).items())
            yield Mismatch("split", wanted, found_text, facts.deciding)

    def not_reached(self) -> Iterator[Mismatch]:
        mesh = self.facts.mesh
        for name in not_reached_of(self.expect):
            target = anybody(mesh, name)
            for chance, outcome in self.facts.outcomes:
                if target.covers(responder_of(outcome), None):
                    text = _with_share(chance, describe_outcome(outcome))
                    yield Mismatch("notReached", f"not {name}", text, self.facts.deciding)
            for copy in self.facts.mirrors:
                if any(target.covers(r, None) for r in copy.responders):
                    text = f"a mirrored copy of {copy.percent:g} %"
                    yield Mismatch("notReached", f"not {name}", text, self.facts.deciding)

    def rule(self) -> Iterator[Mismatch]:
        text = self.expect.rule or ""
        rules = sorted({r.title for r in self.facts.visited})
        if not any(_is_rule(r, text) for r in self.facts.visited):
            yield Mismatch("rule", text, ", ".join(rules) or "no rule")


_CHECKS: dict[str, Callable[[_Judgement], Iterator[Mismatch]]] = {
    name: vars(_Judgement)[name] for name in Expect.model_fields if name in vars(_Judgement)
}


def _with_share(chance: float, text: str) -> str:
    return text if chance > 1 - _CLOSE else f"{text} ({100 * chance:.4g} %)"


def _share_key(targets: dict[str, Target], outcome: Outcome) -> str | None:
    responder = responder_of(outcome)
    fitting = [k for k, t in targets.items() if t.covers(responder, outcome.status)]
    return fitting[0] if fitting else None


def _is_refused_by(outcome: Outcome, text: str) -> bool:
    if responder_of(outcome) is not None:
        return False
    if outcome.rule is not None and _is_rule(outcome.rule, text):
        return True
    return text in outcome.why.split()  # a refusal that names the kind, but no rule


def _is_rule(rule: RuleOrigin, text: str) -> bool:
    """``KIND``, ``KIND NAME`` or ``KIND NAMESPACE/NAME``, each also with a field behind it."""
    kind, _, rest = text.partition(" ")
    name, _, field = rest.partition(" ")
    names = ("", rule.name, f"{rule.namespace}/{rule.name}")
    return rule.kind == kind and name in names and rule.field.startswith(field)
