"""Does traffic split as the rule says? Judged request by request, and ended when that is known.

The same question, error rates and verdict as ``meshproof.verdicts.split``, with fewer requests: a
right 50/50 takes some 1,400 instead of 5,240 to exclude 5 points, a wrong one less still.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from meshproof.verdicts.sample import Sample
from meshproof.verdicts.sequential import RIGHT, UNDECIDED, WRONG, SequentialTest
from meshproof.verdicts.split import DEFAULT, Errors, blocks, shares_of
from meshproof.verdicts.verdict import Figure, Verdict, conclude


@dataclass(frozen=True)
class SequentialSplit:
    """A plan: when to stop sending, and how to judge what came back.

    ``weights`` are as for ``split``, at least one of them a share between 0 and 1 (that a version
    gets nothing at all takes a number of requests that is known before).
    """

    weights: Mapping[str, int]
    errors: Errors = DEFAULT

    @cached_property
    def _tests(self) -> dict[str, SequentialTest]:
        """One for each share; of two that make 1, each count decides the other. Raises ValueError
        for weights without a share to test."""
        shares = {v: p for v, p in shares_of(self.weights).items() if 0 < p < 1}
        if not shares:
            raise ValueError(f"weights {dict(self.weights)}: one version gets all; nothing to test")
        errors = self.errors
        if len(shares) == 2:
            shares.popitem()
        each = errors.alpha / len(shares)
        return {v: SequentialTest(p, errors.shift, each, errors.power) for v, p in shares.items()}

    @cached_property
    def limit(self) -> int:
        """Requests after which it is decided at the latest."""
        return max(test.limit for test in self._tests.values())

    def decides(self, counts: Mapping[str, int]) -> bool:
        """Do these answers suffice? They must be the first that were sent, without a gap: those of
        a slower version are missing from what is merely complete."""
        if any(count and version not in self._expected for version, count in counts.items()):
            return True
        n = sum(counts.values())
        outcomes = {test.decide(counts.get(v, 0), n) for v, test in self._tests.items()}
        return WRONG in outcomes or outcomes == {RIGHT}

    def judge(self, name: str, sample: Sample, *, failed_allowed: int = 0) -> Verdict:
        """The verdict on the requests up to the decision; those after it, which were in flight,
        are looked at only for failures and for versions that must not answer. Needs the sample's
        sequence. Fails where nothing is decided."""
        outcome, n, why = self._decide(sample.sequence)
        counts = Counter(sample.sequence[:n])
        problems = sample.problems(failed_allowed)
        strangers = {v: k for v, k in sample.counts.items() if k and v not in self._expected}
        problems += [f"{k} answers from {v!r}, which no weight names" for v, k in strangers.items()]
        if outcome == WRONG and not (strangers and why in strangers):
            problems.append(self._off(why, counts[why], n))
        if outcome == UNDECIDED:
            problems.append(f"undecided after {n} answers; at most {self.limit} are needed")
        figures = self._figures(sample.failed)
        problems += blocks(sample.sequence, list(self._tests), figures)
        versions = [*self.weights, *(v for v in counts if v not in self.weights)]
        regions = {v: test.allowed(n) for v, test in self._tests.items()} if n else {}
        return conclude(
            name,
            n,
            {v: counts[v] for v in versions},
            problems,
            wanted=", ".join(f"{v} {100 * p:.4g} %" for v, p in shares_of(self.weights).items()),
            found=", ".join(f"{v} {100 * counts[v] / max(n, 1):.4g} %" for v in versions),
            allowed=", ".join(f"{v} {low}..{high}" for v, (low, high) in regions.items()),
            figures=figures,
        )

    @cached_property
    def _expected(self) -> frozenset[str]:
        return frozenset(v for v, weight in self.weights.items() if weight)

    def _decide(self, sequence: Sequence[str]) -> tuple[str, int, str]:
        """The outcome, after how many answers, and the version that is off. It is wrong as soon as
        one test says so, or a version answers that must not, and right when all tests say so."""
        alien = next((i for i, v in enumerate(sequence) if v not in self._expected), None)
        upto = sequence if alien is None else sequence[:alien]
        ends = {v: test.walk(answer == v for answer in upto) for v, test in self._tests.items()}
        wrong = [(n, v) for v, (outcome, n, _) in ends.items() if outcome == WRONG]
        if wrong:
            n, version = min(wrong)
            return WRONG, n, version
        if all(outcome == RIGHT for outcome, _, _ in ends.values()):
            return RIGHT, max(n for _, n, _ in ends.values()), ""
        if alien is not None:
            return WRONG, alien + 1, sequence[alien]
        return UNDECIDED, len(sequence), ""

    def _off(self, version: str, hits: int, n: int) -> str:
        if version not in self._tests:
            return f"{version} answered {hits} of {n}; wanted exactly 0"
        low, high = self._tests[version].allowed(n)
        alpha = self._tests[version].alpha
        return f"{version} answered {hits} of {n}; allowed {low}..{high} (alpha {alpha:.3g})"

    def _figures(self, failed: int) -> dict[str, Figure]:
        errors = self.errors
        return {
            "failed": failed,
            "alpha": errors.alpha,
            "power": errors.power,
            "alternative": f"{100 * errors.shift:g} points off",
            "at_most": self.limit,
        }
