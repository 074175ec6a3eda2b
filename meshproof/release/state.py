"""How far a release has come, and what one look at the evidence changes. Pure, and plain data."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from meshproof.release.compare import Calls
from meshproof.release.judge import Action, Decision, Limits, judge


class Phase(enum.StrEnum):
    MOVING = "moving"
    """The step's weight is decided; it may or may not be live yet."""
    WATCHING = "watching"
    """The step's weight is live, and evidence comes in."""
    ROLLING_BACK = "rolling back"
    """Decided; it may or may not be live yet."""
    RELEASED = "released"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is released, and how; fixed at the beginning."""

    service: str
    namespace: str
    old: str
    new: str
    steps: tuple[int, ...]
    """The new version's percentages, rising, the last one 100."""
    limits: Limits = field(default_factory=Limits)

    def problems(self) -> list[str]:
        """What is wrong with this plan, a text each."""
        problems = self.limits.problems()
        rising = all(a < b for a, b in zip(self.steps, self.steps[1:], strict=False))
        if len(self.steps) < 2 or not rising or self.steps[0] < 1 or self.steps[-1] != 100:
            text = ",".join(map(str, self.steps))
            problems.append(
                f"steps {text}: wanted two or more, rising, from 1 on, and 100 as the last"
            )
        if self.old == self.new:
            problems.append(f"from {self.old} to {self.new}: wanted two versions")
        return problems


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """A plan and how much of it is done; every change gives a new one."""

    plan: Plan
    step: int = 0
    """Index into ``plan.steps``."""
    phase: Phase = Phase.MOVING
    looks: int = 0
    """Looks taken at this step."""
    seen: int = 0
    """Calls of the new version at the last look."""

    @property
    def weight(self) -> int:
        """The new version's percentage, now or as soon as it is live."""
        if self.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
            return 0
        return self.plan.steps[self.step]

    @property
    def over(self) -> bool:
        return self.phase in (Phase.RELEASED, Phase.ROLLED_BACK)

    def live(self) -> ReleaseState:
        """The weight is live on every sidecar. At 100 %, or back at 0, the release is over."""
        if self.phase is Phase.ROLLING_BACK:
            return replace(self, phase=Phase.ROLLED_BACK)
        if self.phase is not Phase.MOVING:
            return self
        last = self.step == len(self.plan.steps) - 1
        return replace(self, phase=Phase.RELEASED if last else Phase.WATCHING)

    def back(self) -> ReleaseState:
        """Give up, for any reason."""
        return replace(self, phase=Phase.ROLLING_BACK)

    def due(self, calls: int) -> bool:
        """Whether a look is due after so many calls of the new version at this step."""
        limits = self.plan.limits
        return self.phase is Phase.WATCHING and calls >= limits.next_look(self.seen)

    def look(self, old: Calls, new: Calls) -> tuple[ReleaseState, Decision]:
        """Judge all the evidence of this step; call it when a look is ``due``."""
        plan = self.plan
        decision = judge(
            plan.limits,
            old,
            new,
            look=self.looks + 1,
            steps=len(plan.steps) - 1,
            next_share=plan.steps[self.step + 1] / 100,
        )
        if decision.action is Action.ROLL_BACK:
            return self.back(), decision
        if decision.action is Action.GO_ON:
            return ReleaseState(plan, self.step + 1), decision
        return replace(self, looks=self.looks + 1, seen=new.total), decision

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReleaseState:
        """What ``as_dict`` gave, also after JSON. Raises KeyError, TypeError, ValueError."""
        fields = dict(data["plan"])
        limits = Limits(**fields.pop("limits"))
        plan = Plan(**{**fields, "steps": tuple(fields["steps"]), "limits": limits})
        return cls(plan, data["step"], Phase(data["phase"]), data["looks"], data["seen"])
