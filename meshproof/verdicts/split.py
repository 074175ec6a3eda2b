"""Does traffic split as the rule says? Exact tests with a stated false alarm rate and power.

Versions share n requests with the wanted shares p_i. Two versions are one exact binomial test.
More are a multinomial, judged by one exact binomial per version at alpha/k (Bonferroni): exact,
no simulation, never more than alpha false alarms, and it names the version that is off. A
version with weight 0 must have exactly 0 requests, which costs no alpha.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.verdicts import binomial
from meshproof.verdicts.independence import runs_z, two_sided
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.verdict import Figure, Verdict, conclude

_CLUSTERED = 1e-6
"""The runs test is a second test, so it has an alpha of its own."""


@dataclass(frozen=True, slots=True)
class Errors:
    """The error rates of a split verdict, and the difference that it must detect."""

    alpha: float = 1e-6
    """The probability that a right split fails."""
    power: float = 0.99
    """The probability with which a split that is ``shift`` off must fail."""
    shift: float = 0.05
    """0.05 is 5 points."""


DEFAULT = Errors()


@dataclass(slots=True)
class _Findings:
    sample: Sample
    shares: Mapping[str, float]
    problems: list[str]
    figures: dict[str, Figure] = field(default_factory=dict)

    def count(self, version: str) -> int:
        return self.sample.counts.get(version, 0)


def shares_of(weights: Mapping[str, int]) -> dict[str, float]:
    """Version -> share of the traffic. Raises ValueError for weights that are no shares."""
    total = sum(weights.values())
    if not weights or total <= 0 or min(weights.values()) < 0:
        raise ValueError(f"weights {dict(weights)} are no shares; wanted 0 or more, not all 0")
    return {version: weight / total for version, weight in weights.items()}


def split(
    name: str,
    sample: Sample,
    weights: Mapping[str, int],
    *,
    errors: Errors = DEFAULT,
    failed_allowed: int = 0,
) -> Verdict:
    """Judge a sample against a rule's weights (any scale: 50/50 or 1/1).

    Fails for a share that is off at ``alpha``; an answer from a version that no weight names, or
    whose weight is 0; more failed requests than ``failed_allowed``; requests unaccounted for;
    answers that come in blocks; and too few requests for the stated power. Raises ValueError for
    weights that are no shares, and for a shift that is larger than any share allows.
    """
    shares = shares_of(weights)
    n = sample.answered
    findings = _Findings(sample, shares, sample.problems(failed_allowed))
    findings.figures["failed"] = sample.failed
    allowed = _judge(findings, n, errors) if n else {}
    versions = {**weights, **sample.counts}
    return conclude(
        name,
        n,
        {version: findings.count(version) for version in versions},
        findings.problems,
        wanted=", ".join(f"{v} {100 * p:.4g} %" for v, p in shares.items()),
        found=", ".join(f"{v} {100 * findings.count(v) / max(n, 1):.4g} %" for v in versions),
        allowed=", ".join(f"{v} {low}..{high}" for v, (low, high) in allowed.items()),
        figures=findings.figures,
    )


def _judge(findings: _Findings, n: int, errors: Errors) -> dict[str, tuple[int, int]]:
    """Runs every test; returns the allowed counts of each version."""
    shares, figures = findings.shares, findings.figures
    for version, hits in findings.sample.counts.items():
        if hits and version not in shares:
            findings.problems.append(f"{hits} answers from {version!r}, which no weight names")
    allowed = {v: (n, n) if p == 1 else (0, 0) for v, p in shares.items() if p in (0, 1)}
    for version, (low, _) in allowed.items():
        hits = findings.count(version)
        if low == 0:
            figures[f"upper_bound_{version}"] = binomial.upper_bound(hits, n, 1 - errors.alpha)
        if hits != low:
            findings.problems.append(f"{version} answered {hits} of {n}; wanted exactly {low}")
    tested = [v for v, p in shares.items() if 0 < p < 1]
    if tested:
        # Of two shares that make 1, each count decides the other: one test, no correction.
        each = errors.alpha / (1 if len(tested) == 2 else len(tested))
        allowed |= _shares(findings, tested, n, errors, each)
        _power(findings, tested, n, errors, each)
        findings.problems += blocks(findings.sample.sequence, tested, figures)
    return allowed


def _shares(
    findings: _Findings, tested: list[str], n: int, errors: Errors, each: float
) -> dict[str, tuple[int, int]]:
    allowed, smallest = {}, 1.0
    for version in tested:
        hits, share = findings.count(version), findings.shares[version]
        low, high = allowed[version] = binomial.acceptance(n, share, each)
        p_value = binomial.p_value(hits, n, share)
        smallest = min(smallest, p_value)
        if not low <= hits <= high:
            findings.problems.append(
                f"{version} answered {hits} of {n}; allowed {low}..{high}"
                f" (p {p_value:.3g}, alpha {each:.3g})"
            )
    findings.figures["alpha"] = errors.alpha
    findings.figures["p_value"] = min(1.0, smallest * errors.alpha / each)
    for version in tested[:1] if len(tested) == 2 else tested:
        key = f"interval_{version}"
        findings.figures[key] = binomial.interval(findings.count(version), n, 1 - each)
    return allowed


def _power(findings: _Findings, tested: list[str], n: int, errors: Errors, each: float) -> None:
    powers = {v: binomial.power_of_shift(n, findings.shares[v], errors.shift, each) for v in tested}
    weak = min(powers, key=lambda v: powers[v])
    points = f"{100 * errors.shift:g} points"
    findings.figures["power"] = powers[weak]
    findings.figures["alternative"] = f"{points} off"
    if powers[weak] < errors.power:
        need = binomial.sample_size(findings.shares[weak], errors.shift, each, errors.power)
        findings.problems.append(
            f"n={n} catches {points} with power {powers[weak]:.3g} only;"
            f" wanted {errors.power:g}, which takes n={need}"
        )


def blocks(sequence: Sequence[str], versions: list[str], figures: dict[str, Figure]) -> list[str]:
    """Blocks widen the spread, so alpha would not hold; alternation only narrows it. Adds the
    figure ``runs_z`` of the worst version."""
    scores = {v: z for v in versions if (z := runs_z(sequence, v)) is not None}
    if not scores:
        return []
    worst = min(scores, key=lambda v: scores[v])
    figures["runs_z"] = scores[worst]
    if scores[worst] >= 0 or two_sided(scores[worst]) >= _CLUSTERED / len(scores):
        return []
    return [
        f"answers come in blocks (runs test of {worst}: z {scores[worst]:.3g}),"
        " so they are not independent draws"
    ]
