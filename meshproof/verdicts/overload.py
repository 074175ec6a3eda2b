"""Goodput under more load than there is capacity for. Pure; seconds of the wall clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meshproof.verdicts.requests import R, RequestRecord
from meshproof.verdicts.verdict import Figure, Verdict, conclude

_NEARLY = 0.9
"""The share of the intended load that must be offered: users start within a second, and machines
are busy."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A number of events, and the seconds in which they happened."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """Per second; 0 where no time passed."""
        return self.count / self.seconds if self.seconds > 0 else 0.0


def offered(records: Sequence[RequestRecord], window: tuple[float, float]) -> Flow:
    """What was sent within the window (begin, end)."""
    begin, end = window
    return Flow(sum(begin <= r.time < end for r in records), end - begin)


def served(
    records: Sequence[R],
    window: tuple[float, float],
    good: Callable[[R], bool] = lambda record: record.answered,
) -> Flow:
    """The goodput: the ``good`` answers that came within the window. A sender that gave up before
    has no answer."""
    begin, end = window
    return Flow(sum(begin <= r.end < end and good(r) for r in records), end - begin)


def goodput_holds(
    name: str, peak: Flow, sent: Flow, good: Flow, *, times: float, within: float
) -> Verdict:
    """With ``times`` its capacity offered, a service still serves as much as at its peak, less at
    most ``within`` (0.2 is a fifth).

    ``peak`` is the goodput with as many callers as it serves at once, measured in the same run.
    Measured rates are compared as they are: the output of a service that is always busy varies
    little. Fails too where the load was not offered.
    """
    floor = (1 - within) * peak.rate
    problems = []
    if not peak.count:
        problems.append("the peak was not measured: nothing was served")
    elif sent.rate < _NEARLY * times * peak.rate:
        problems.append(
            f"{sent.rate:.1f} a second were offered, {sent.rate / peak.rate:.1f} times the peak;"
            f" wanted {times:g} times: this is no such overload"
        )
    elif good.rate < floor:
        problems.append(
            f"{good.rate:.1f} a second were served, {peak.rate:.1f} at the peak; wanted"
            f" {floor:.1f} at least"
        )
    figures: dict[str, Figure] = {
        "peak_per_s": peak.rate, "offered_per_s": sent.rate, "goodput_per_s": good.rate,
    }  # fmt: skip
    if peak.count:
        figures |= {"of_peak": good.rate / peak.rate, "times": sent.rate / peak.rate}
    return conclude(
        name,
        sent.count,
        {"offered": sent.count, "served": good.count, "served_at_peak": peak.count},
        problems,
        wanted=f"goodput within {100 * within:g} % of its peak at {times:g} times that load",
        found=f"{good.rate:.1f} a second of {sent.rate:.1f} offered, peak {peak.rate:.1f}",
        allowed=f"at least {floor:.1f} a second",
        figures=figures,
    )


def nobody_hangs(
    name: str, records: Sequence[RequestRecord], *, refusal: int, share: float = 0.01
) -> Verdict:
    """Every request is answered, or refused with status ``refusal``, except for a ``share``."""
    good = sum(r.answered for r in records)
    refused = sum(r.status == refusal for r in records)
    others = len(records) - good - refused
    problems = []
    if others > share * len(records):
        problems.append(
            f"{others} of {len(records)} got neither an answer nor {refusal}; allowed"
            f" {100 * share:g} %"
        )
    if not refused:
        problems.append(f"nobody was refused with {refusal}: nothing protects")
    return conclude(
        name,
        len(records),
        {"answered": good, "refused": refused, "others": others},
        problems,
        wanted=f"an answer or {refusal} for each",
        found=f"{good} answered, {refused} refused, {others} others",
        allowed=f"others at most {100 * share:g} %",
    )
