"""``assert_split``: calls go to versions in the shares that a rule says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.assertions.apply import Rule, is_text
from meshproof.assertions.context import Bench, Sent, call_of
from meshproof.assertions.expected_split import Wanted, of_rule
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord, Answer
from meshproof.model.reader import read_resources
from meshproof.model.resource import Resource
from meshproof.traffic.calls import GATEWAY, Call
from meshproof.verdicts import binomial
from meshproof.verdicts.access_records import ResponderBy, calls_to, good, sample
from meshproof.verdicts.split import Errors, split
from meshproof.verdicts.verdict import Verdict, some

OFF = r"answered \d+ of \d+; (allowed|wanted exactly)|which no weight names"
"""Why a split that is wrong fails: this and nothing else is what a control proves."""


@dataclass(frozen=True, slots=True)
class _Asked:
    to: str
    wanted: Wanted
    errors: Errors
    failed_allowed: int
    name: str


@dataclass(frozen=True, slots=True)
class AssertSplit:
    bench: Bench

    def __call__(
        self,
        to: str,
        *,
        rule: Rule | None = None,
        weights: Mapping[str, int] | None = None,
        from_: str = GATEWAY,
        path: str = "/",
        url: str = "",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        by: str = "",
        alternative: float = 0.05,
        power: float = 0.99,
        alpha: float = 1e-6,
        failed_allowed: int = 0,
        expect: str = "pass",
        because: str = OFF,
        name: str = "",
    ) -> Verdict:
        """Calls to the host ``to`` (``svcb``, ``svcb.shop``, or a host of a Gateway) are shared
        as ``rule`` says, a file that is read and not applied, or as ``weights`` do
        (``{"v1": 90, "v2": 10}``).

        ``from_`` sends ``path`` (or ``url``): ``gateway``, the default, or a workload, whose calls
        go to ``to`` itself. Behind the gateway the calls to ``to`` may be those of another app:
        they are found by the run id, or by trace headers or ``x-request-id``, if it hands any on.
        Names of weights are workloads, values of the label ``version``, or subsets; ``by`` says
        which, or names another label.

        As many requests are sent as catch a share that is ``alternative`` off (0.05 is 5 points)
        with probability ``power``, while a right split fails with probability ``alpha``.
        Failed are calls that got 5xx or no answer. Raises VerdictFailed, or ControlFailed with
        ``expect="fail"``; UsageError for words that make no sense.
        """
        __tracebackhide__ = True
        wanted = self._wanted(to, rule, weights, by)
        errors = Errors(alpha=alpha, power=power, shift=alternative)
        call = call_of(from_, url, to=to, path=path, method=method, headers=headers, body=body)
        verdict = self._judged(call, _Asked(to, wanted, errors, failed_allowed, name))
        return self.bench.judge(verdict, expect=expect, because=because if expect == "fail" else "")

    def _wanted(
        self, to: str, rule: Rule | None, weights: Mapping[str, int] | None, by: str
    ) -> Wanted:
        if (rule is None) == (weights is None):
            raise UsageError("assert_split wants rule= or weights=, one of them")
        if weights is not None:
            replicas = self.bench.mesh.status().replicas
            return Wanted(weights, by or ResponderBy(replicas).fitting(weights))
        assert rule is not None
        read = of_rule(_resources(rule, self.bench), to, "the YAML" if is_text(rule) else str(rule))
        return replace(read, by=by) if by else read

    def _judged(self, call: Call, asked: _Asked) -> Verdict:
        n, wanted = requests(asked.wanted.weights, asked.errors), asked.wanted
        replicas = self.bench.mesh.status().replicas  # whose addresses answer from now on
        sent = self.bench.send(call, n)
        if len(calls_to(asked.to, sent.log)) < n:
            sent = self.bench.whole(sent)
        calls = calls_to(asked.to, sent.log)
        verdict = split(
            asked.name or "/".join(map(str, wanted.weights.values())),
            sample(calls, ResponderBy(replicas).by(wanted.by), n),
            wanted.weights,
            errors=asked.errors,
            failed_allowed=asked.failed_allowed,
        )
        return _with(verdict, _unaccounted(sent, asked, calls), wanted.by)


def requests(weights: Mapping[str, int], errors: Errors) -> int:
    """How many requests show such a split with these errors."""
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        raise UsageError(f"weights {dict(weights)} are no shares; wanted 0 or more, not all 0")
    shares = [weight / total for weight in weights.values() if 0 < weight < total]
    if not shares:  # one version has all: a share of ``shift`` elsewhere shows itself
        return math.ceil(math.log(errors.alpha) / math.log(1 - errors.shift))
    each = errors.alpha / (1 if len(shares) == 2 else len(shares))
    try:
        return max(binomial.sample_size(p, errors.shift, each, errors.power) for p in shares)
    except ValueError as error:
        raise UsageError(f"alternative={errors.shift:g}: {error}") from None


def _resources(rule: Rule, bench: Bench) -> list[Resource]:
    return read_resources([bench.apply.source(rule)])


def _unaccounted(sent: Sent, asked: _Asked, calls: Sequence[AccessRecord]) -> list[str]:
    """What the split itself does not see: callers that were told a failure, and why no call of
    theirs is known."""
    problems = []
    bad = sum(not 0 < answer.status < 500 for answer in sent.answers)
    if bad > asked.failed_allowed:
        example = next(a for a in sent.answers if not 0 < a.status < 500)
        problems.append(f"{bad} of {len(sent.answers)} callers got {_said(example)}")
    if not calls:
        problems.append(
            f"no call to {asked.to} is known to belong to these requests; an app in between must"
            " hand on trace headers or x-request-id, or name it as from_="
        )
    failed = [f"{c.code or 'no answer'} (flags {c.flags})" for c in calls if not good(c)]
    if len(failed) > asked.failed_allowed:
        seen = some([f"{n} x {why}" for why, n in Counter(failed).most_common()])
        problems.append(f"calls to {asked.to} failed: {seen}")
    return problems


def _said(answer: Answer) -> str:
    if answer.refused_by:
        return f"{answer.status}: {answer.refused_by} (another port: url=, not path=)"
    return f"{answer.status} ({answer.body[:120].decode(errors='replace').strip()})"


def _with(verdict: Verdict, problems: list[str], by: str) -> Verdict:
    """The verdict with more that is wrong, and how answers were told apart."""
    told = {"workload": "workload", "subset": "subset", "host": "host"}.get(by, f"label {by}")
    return replace(
        verdict,
        passed=verdict.passed and not problems,
        problems=(*verdict.problems, *problems),
        figures={**verdict.figures, "told_by": told},
    )
