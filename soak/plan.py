"""What a soak does, and when: a seed in, a list of timed actions out. Pure.

Two lanes run side by side, so that what breaks meets what changes: ``change`` (rules, replicas,
certificates, the way out) and ``fault`` (kills, pauses, the network). Kinds are dealt like cards:
each comes once before any comes again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

RULES = (
    "svcb_v0_1_50_v0_2_50",
    "svcb_v0_2_100",
    "svcb_by_header",
    "svcb_v0_1_90_v0_2_10",
    "svcb_v0_1_60_v0_2_40",
)
"""Files of rules/ that say who answers."""
VERSIONS = ("svcb-v0.1", "svcb-v0.2")
WORKLOADS = ("svca", *VERSIONS)
MSGD = "msgd.test"
LANES = ("change", "fault")
REPLICAS = (2, 3)
"""One to be killed, and one that goes on."""
_GAPS: Mapping[str, tuple[float, float]] = {"change": (0.5, 2.0), "fault": (1.0, 3.0)}
"""Seconds from one action of a lane to the next, at least and at most."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is done to the mesh."""

    at: float
    """Seconds from the start of the load; later where the one before it takes longer."""
    lane: str
    kind: str
    on: str = ""
    """A workload, an outside host, or a file of rules/."""
    part: str = ""
    """``app`` or ``sidecar``, for kills and pauses."""
    pick: int = 0
    """Which of the replicas there are then, counted round."""
    amount: float = 0.0
    """Replicas, milliseconds, percent, or the seconds of a timeout."""
    hold: float = 0.0
    """Seconds until it is undone; 0 for what is not."""

    def __str__(self) -> str:
        amount = f" {self.amount:g}" if self.amount else ""
        hold = f" for {self.hold:g} s" if self.hold else ""
        return " ".join(filter(None, (self.kind, self.on, self.part))) + amount + hold


Dealt = Callable[[random.Random, float], Action]


def _rules(chance: random.Random, at: float) -> Action:
    return Action(at, "change", "rules", chance.choice(RULES))


def _timeouts(chance: random.Random, at: float) -> Action:
    file = chance.choice(RULES)
    return Action(at, "change", "timeouts", file, amount=chance.choice((3.0, 4.0)))


def _scale(chance: random.Random, at: float) -> Action:
    workload = chance.choice(WORKLOADS)
    return Action(at, "change", "scale", workload, amount=chance.choice(REPLICAS))


def _replace(chance: random.Random, at: float) -> Action:
    return Action(
        at, "change", "replace", chance.choice(("svca", "svcb")), pick=chance.randrange(9)
    )


def _certificates(_chance: random.Random, at: float) -> Action:
    return Action(at, "change", "certificates")


def _close(chance: random.Random, at: float) -> Action:
    return Action(at, "change", "close egress", hold=_seconds(chance, 0.5, 2.0))


def _kill(workloads: tuple[str, ...], part: str) -> Dealt:
    def dealt(chance: random.Random, at: float) -> Action:
        on = chance.choice(workloads)
        return Action(at, "fault", "kill", on, part, pick=chance.randrange(9))

    return dealt


def _pause(workloads: tuple[str, ...], part: str) -> Dealt:
    def dealt(chance: random.Random, at: float) -> Action:
        on, pick = chance.choice(workloads), chance.randrange(9)
        return Action(at, "fault", "pause", on, part, pick, hold=_seconds(chance, 0.3, 1.5))

    return dealt


def _kill_msgd(_chance: random.Random, at: float) -> Action:
    return Action(at, "fault", "kill", MSGD)


def _pause_msgd(chance: random.Random, at: float) -> Action:
    return Action(at, "fault", "pause", MSGD, hold=_seconds(chance, 1.1, 2.0))


def _msgd_way(chance: random.Random, at: float) -> Action:
    kind = chance.choice(("refuse", "cut"))
    return Action(at, "fault", kind, MSGD, hold=_seconds(chance, 0.5, 1.5))


def _slow(chance: random.Random, at: float) -> Action:
    on, amount = chance.choice(VERSIONS), chance.randrange(20, 120)
    return Action(at, "fault", "latency", on, amount=amount, hold=_seconds(chance, 0.5, 1.5))


def _loss(chance: random.Random, at: float) -> Action:
    on, amount = chance.choice(VERSIONS), chance.randrange(5, 30)
    return Action(at, "fault", "loss", on, amount=amount, hold=_seconds(chance, 0.5, 1.5))


def _seconds(chance: random.Random, least: float, most: float) -> float:
    return round(chance.uniform(least, most), 2)


_DECKS: Mapping[str, tuple[Dealt, ...]] = {
    "change": (_rules, _rules, _timeouts, _scale, _scale, _replace, _certificates, _close),
    "fault": (
        _kill(("svca",), "app"), _kill(("svca",), "sidecar"),
        _kill(VERSIONS, "app"), _kill(VERSIONS, "sidecar"),
        _pause(WORKLOADS, "app"), _pause(WORKLOADS, "sidecar"),
        _kill_msgd, _pause_msgd, _msgd_way, _slow, _loss,
    ),
}  # fmt: skip


def plan(seed: int, seconds: float) -> list[Action]:
    """The actions of so many seconds, in order of time. The same for the same arguments."""
    chance = random.Random(seed)  # noqa: S311  (to be replayed, not to be secret)
    dealt = [action for lane in LANES for action in _lane(lane, chance, seconds)]
    return sorted(dealt, key=lambda action: action.at)


def _lane(lane: str, chance: random.Random, seconds: float) -> Iterator[Action]:
    at, hand = 0.0, list[Dealt]()
    while True:
        at += chance.uniform(*_GAPS[lane])
        if at >= seconds:
            return
        if not hand:
            hand = list(_DECKS[lane])
            chance.shuffle(hand)
        action = hand.pop()(chance, round(at, 2))
        yield action
        at += action.hold


def as_data(actions: Iterable[Action]) -> list[dict[str, Any]]:
    """For JSON."""
    return [asdict(action) for action in actions]


def from_data(data: Iterable[Mapping[str, Any]]) -> list[Action]:
    """What ``as_data`` gave. Raises ValueError for anything else."""
    try:
        actions = [Action(**one) for one in data]
    except TypeError as error:
        raise ValueError(f"this is no plan of a soak: {error}") from error
    if strange := {action.lane for action in actions} - set(LANES):
        raise ValueError(f"lane {', '.join(sorted(strange))}: wanted {' or '.join(LANES)}")
    return sorted(actions, key=lambda action: action.at)
