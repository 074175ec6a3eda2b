"""``assert_split``: calls go to versions in the shares that a rule says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.assertions.apply import Rule, is_text
from meshproof.assertions.context import AssertionContext, RunEvidence, build_call
from meshproof.assertions.expected_split import ExpectedSplit, read_expected_split
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord, Answer
from meshproof.model.reader import read_resources
from meshproof.model.resource import Resource
from meshproof.traffic.calls import GATEWAY, Call
from meshproof.verdicts import binomial
from meshproof.verdicts.access_records import ResponderBy, calls_to, is_success, sample
from meshproof.verdicts.split import Errors, shares_of, split
from meshproof.verdicts.verdict import Verdict, some

OFF = r"answered \d+ of \d+; (allowed|wanted exactly)|which no weight names"
"""Why a wrong split fails; a negative control must fail for this reason and for no other."""


@dataclass(frozen=True, slots=True)
class _SplitCheck:
    """The arguments of one assertion."""

    to: str
    expected: ExpectedSplit
    errors: Errors
    failed_allowed: int
    name: str


@dataclass(frozen=True, slots=True)
class AssertSplit:
    context: AssertionContext

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
        """Calls to the host ``to`` (``cart``, ``cart.shop``, or a host of a Gateway) are shared as
        ``rule`` says, a file that is read and not applied, or as ``weights`` say
        (``{"v1": 90, "v2": 10}``).

        ``from_`` sends ``path`` (or ``url``): ``gateway``, the default, or a workload, whose calls
        go to ``to`` itself. Behind the gateway the calls to ``to`` may be those of another app:
        they are found by the run id, or by trace headers or ``x-request-id``, if the app forwards
        any. Names of weights are workloads, values of the label ``version``, or subsets; ``by``
        says which, or names another label.

        Enough requests are sent to catch a share that is ``alternative`` off (0.05 is 5 points)
        with probability ``power``, while a right split fails with probability ``alpha``. Calls that
        got 5xx or no answer are failed. Raises VerdictFailed, or ControlFailed with
        ``expect="fail"``, and UsageError for arguments that contradict each other.
        """
        __tracebackhide__ = True
        expected = self._expected(to, rule, weights, by)
        errors = Errors(alpha=alpha, power=power, shift=alternative)
        call = build_call(from_, url, to=to, path=path, method=method, headers=headers, body=body)
        verdict = self._check(call, _SplitCheck(to, expected, errors, failed_allowed, name))
        return self.context.require(verdict, expect, because)

    def _expected(
        self, to: str, rule: Rule | None, weights: Mapping[str, int] | None, by: str
    ) -> ExpectedSplit:
        if (rule is None) == (weights is None):
            raise UsageError("assert_split wants rule= or weights=, one of them")
        if weights is not None:
            replicas = self.context.mesh.status().replicas
            return ExpectedSplit(weights, by or ResponderBy(replicas).key_for(weights))
        assert rule is not None
        file = "the YAML" if is_text(rule) else str(rule)
        split = read_expected_split(_resources(rule, self.context), to, file)
        return replace(split, by=by) if by else split

    def _check(self, call: Call, check: _SplitCheck) -> Verdict:
        expected = check.expected
        n = required_requests(expected.weights, check.errors)
        replicas = self.context.mesh.status().replicas  # whose addresses answer from now on
        evidence = self.context.send(call, n)
        if len(calls_to(check.to, evidence.log)) < n:
            evidence = self.context.with_traced_calls(evidence)
        calls = calls_to(check.to, evidence.log)
        verdict = split(
            check.name or "/".join(map(str, expected.weights.values())),
            sample(calls, ResponderBy(replicas).responder(expected.by), n),
            expected.weights,
            errors=check.errors,
            failed_allowed=check.failed_allowed,
        )
        return _with_problems(verdict, _further_problems(evidence, check, calls), expected.by)


def required_requests(weights: Mapping[str, int], errors: Errors) -> int:
    """How many requests it takes to judge such a split with these errors."""
    try:
        shares = [share for share in shares_of(weights).values() if 0 < share < 1]
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not shares:  # one version gets all: enough for a share of ``shift`` elsewhere to show
        return math.ceil(math.log(errors.alpha) / math.log(1 - errors.shift))
    each = errors.alpha / (1 if len(shares) == 2 else len(shares))
    try:
        return max(binomial.sample_size(p, errors.shift, each, errors.power) for p in shares)
    except ValueError as error:
        raise UsageError(f"alternative={errors.shift:g}: {error}") from None


def _resources(rule: Rule, context: AssertionContext) -> list[Resource]:
    return read_resources([context.apply.source(rule)])


def _further_problems(
    evidence: RunEvidence, check: _SplitCheck, calls: Sequence[AccessRecord]
) -> list[str]:
    """What the split itself does not see: callers that got a failure, and why no call of theirs is
    known."""
    problems = []
    bad = [answer for answer in evidence.answers if not 0 < answer.status < 500]
    if len(bad) > check.failed_allowed:
        n = len(evidence.answers)
        problems.append(f"{len(bad)} of {n} callers got {_describe(bad[0])}")
    if not calls:
        problems.append(
            f"no call to {check.to} is known to belong to these requests; an app in between must"
            " forward trace headers or x-request-id, or name it as from_="
        )
    failed = [f"{c.code or 'no answer'} (flags {c.flags})" for c in calls if not is_success(c)]
    if len(failed) > check.failed_allowed:
        kinds = some([f"{n} x {kind}" for kind, n in Counter(failed).most_common()])
        problems.append(f"calls to {check.to} failed: {kinds}")
    return problems


def _describe(answer: Answer) -> str:
    if answer.refused_by:
        return f"{answer.status}: {answer.refused_by} (another port: url=, not path=)"
    return f"{answer.status} ({answer.body[:120].decode(errors='replace').strip()})"


def _with_problems(verdict: Verdict, problems: list[str], by: str) -> Verdict:
    """The verdict with further problems, and with how answers were told apart."""
    key = by if by in ("workload", "subset", "host") else f"label {by}"
    return replace(
        verdict,
        passed=verdict.passed and not problems,
        problems=(*verdict.problems, *problems),
        figures={**verdict.figures, "told_by": key},
    )
