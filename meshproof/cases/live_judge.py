"""Judges observations of a running mesh against an expectation, with stated error rates. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from meshproof.cases.evidence import Observation
from meshproof.cases.facts import Facts
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.model import Expect
from meshproof.cases.names import (
    anybody,
    not_reached_of,
    outside_names,
    share_target,
    workload_target,
)
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.cases.prediction import describe_observation, find_unforeseen, is_outside
from meshproof.cases.results import LiveResult
from meshproof.verdicts import binomial

FIELDS = (
    "workload", "version", "outside", "status", "redirect", "host", "path", "split", "allowed",
    "not_reached",
)  # fmt: skip
"""What evidence can show; timeouts, retries and the like are judged on the files alone."""
ALPHA, POWER, SHIFT = 1e-6, 0.99, 0.05
N = 50
CONFIDENCE = 0.999


def live_fields(expect: Expect) -> list[str]:
    """The fields of an expectation that a running mesh is asked for."""
    return [name for name in FIELDS if name in expect.model_fields_set]


def requests_needed(expect: Expect) -> int:
    """Enough to catch a share that is ``SHIFT`` beyond its tolerance with probability
    ``POWER``; where nothing depends on chance, ``N``."""
    shares = [p / 100 for p in (expect.split or {}).values() if 0 < p < 100]
    if not shares:
        return N
    shift = SHIFT + (expect.tolerance or 0.0) / 100
    each = ALPHA / _tests(shares)
    fitting = [p for p in shares if p - shift >= 0 or p + shift <= 1]
    return max((binomial.sample_size(p, shift, each, POWER) for p in fitting), default=N)


def _tests(shares: Sequence[float]) -> int:
    """Of two shares that make 1, each count decides the other: one test."""
    return 1 if len(shares) == 2 else max(len(shares), 1)


def judge_live(
    expect: Expect, observations: Sequence[Observation], n: int, facts: Facts
) -> LiveResult:
    """Requests without evidence are a mismatch of their own: they count as nothing else. ``facts``
    are what the files say of them."""
    judgement = _LiveJudgement(expect, observations, facts.mesh)
    mismatches = []
    if len(observations) != n:
        text = f"{len(observations)} are in the access log"
        mismatches.append(Mismatch("evidence", f"{n} requests", text))
    mismatches += judgement.mismatches()
    aliases = {"not_reached": "notReached"}
    judged = tuple(aliases.get(name, name) for name in live_fields(expect))
    unforeseen = tuple(find_unforeseen(observations, facts))
    return LiveResult(n, tuple(mismatches), judged, _error_rates(expect, n), unforeseen)


def _error_rates(expect: Expect, n: int) -> str:
    if expect.split and any(0 < p < 100 for p in expect.split.values()):
        points = 100 * SHIFT + (expect.tolerance or 0.0)
        return (
            f"n={n}: a right split fails with probability {ALPHA:g}, "
            f"one that is {points:g} points off is seen with probability {POWER:g}"
        )
    bound = binomial.upper_bound(0, n, CONFIDENCE)
    return (
        f"n={n}: one deviation fails it; a deviation of {100 * bound:.2g} % of the requests "
        f"is seen with probability {CONFIDENCE:g}"
    )


@dataclass(frozen=True)
class _LiveJudgement:
    expect: Expect
    observations: Sequence[Observation]
    mesh: PlannedMesh

    def mismatches(self) -> Iterator[Mismatch]:
        expect, mesh = self.expect, self.mesh
        if expect.workload and expect.split is None:
            target = workload_target(mesh, expect.workload, expect.version)
            name = "version" if expect.version else "workload"
            text = f"{expect.workload} {expect.version or ''}".rstrip()
            yield from self._each(name, text, lambda o: target.covers(o.responder, None))
        if expect.outside:
            names = outside_names(mesh, expect.outside)
            yield from self._each(
                "outside", expect.outside, lambda o: is_outside(o.responder, o.host, names)
            )
        if expect.status:
            yield from self._each(
                "status",
                str(expect.status),
                lambda o: o.responder is None and o.status == expect.status,
            )
        if expect.redirect:
            yield from self._each(
                "redirect", expect.redirect, lambda o: o.location == expect.redirect
            )
        if expect.allowed is not None:
            text = "an app or a host outside gets it" if expect.allowed else "nobody gets it"
            yield from self._each(
                "allowed", text, lambda o: (o.responder is not None) == expect.allowed
            )
        if expect.host:
            yield from self._each("host", expect.host, lambda o: o.host == expect.host)
        if expect.path:
            yield from self._each("path", expect.path, lambda o: _path(o, expect) == expect.path)
        yield from self._not_reached()
        yield from self._split()

    def _each(
        self, field: str, wanted: str, fits: Callable[[Observation], bool]
    ) -> Iterator[Mismatch]:
        wrong = [o for o in self.observations if not fits(o)]
        if wrong:
            kinds = Counter(describe_observation(o) for o in wrong)
            text = ", ".join(f"{n} x {kind}" for kind, n in kinds.most_common(3))
            yield Mismatch(field, wanted, f"{text} of {len(self.observations)}")

    def _not_reached(self) -> Iterator[Mismatch]:
        for name in not_reached_of(self.expect):
            target = anybody(self.mesh, name)
            reached = sum(target.covers(o.responder, None) for o in self.observations)
            if reached:
                yield Mismatch("notReached", f"not {name}", f"{reached} requests got there")

    def _split(self) -> Iterator[Mismatch]:
        expect, total = self.expect, len(self.observations)
        if not expect.split or not total:
            return
        targets = {k: share_target(self.mesh, k, expect.workload) for k in expect.split}
        counts = Counter(
            next(
                (k for k, t in targets.items() if t.covers(o.responder, o.status)),
                describe_observation(o),
            )
            for o in self.observations
        )
        each = ALPHA / _tests([p for p in expect.split.values() if 0 < p < 100])
        tolerance = (expect.tolerance or 0.0) / 100
        problems = [f"{n} x {key}" for key, n in counts.items() if key not in targets]
        for key, percent in expect.split.items():
            low, high = _allowed(total, percent / 100, tolerance, each)
            if not low <= counts[key] <= high:
                problems.append(f"{key} got {counts[key]} of {total}, allowed {low}..{high}")
        if problems:
            wanted = ", ".join(f"{k} {p:g} %" for k, p in expect.split.items())
            yield Mismatch("split", wanted, "; ".join(problems))


def _allowed(n: int, share: float, tolerance: float, alpha: float) -> tuple[int, int]:
    low_share, high_share = max(0.0, share - tolerance), min(1.0, share + tolerance)
    low = binomial.acceptance(n, low_share, alpha)[0] if 0 < low_share < 1 else n * low_share
    high = binomial.acceptance(n, high_share, alpha)[1] if 0 < high_share < 1 else n * high_share
    return int(low), int(high)


def _path(observation: Observation, expect: Expect) -> str:
    path = observation.path
    return path if expect.path and "?" in expect.path else path.partition("?")[0]
