"""What was done, and when: two lanes of actions, side by side, each noted as it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from soak.actions import ActionResult, ActionRunner
from soak.plan import LANES, Action


@dataclass(frozen=True, slots=True)
class Done:
    """One action that is over; ``began`` and ``ended`` are seconds of the wall clock."""

    action: Action
    began: float
    ended: float
    hit: ActionResult
    error: str = ""
    """Why it failed; empty where it did not."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Done:
        closed = data["hit"]["closed"]
        hit = ActionResult(**{**data["hit"], "closed": closed and tuple(closed)})
        action = Action(**data["action"])
        return cls(**{**data, "action": action, "hit": hit})


Say = Callable[[Done], None]


class Timeline:
    """Both lanes, from ``start`` until ``join``; ``done`` is in order of beginning."""

    def __init__(
        self, doing: ActionRunner, actions: Sequence[Action], over: threading.Event, say: Say
    ) -> None:
        self._doing, self._over, self._say = doing, over, say
        self._lock = threading.Lock()
        self._done: list[Done] = []
        self._lanes = [
            threading.Thread(target=self._run, args=([a for a in actions if a.lane == lane],),
                             name=f"soak-{lane}")
            for lane in LANES
        ]  # fmt: skip

    def start(self) -> None:
        self._from = time.monotonic()
        for lane in self._lanes:
            lane.start()

    def join(self) -> list[Done]:
        """Return when both lanes are through, or ``over`` and what was under way is undone."""
        for lane in self._lanes:
            if lane.ident is not None:
                lane.join()
        return sorted(self._done, key=lambda done: done.began)

    def _run(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if self._over.wait(max(0.0, self._from + action.at - time.monotonic())):
                return
            done = self._one(action)
            with self._lock:
                self._done.append(done)
                self._say(done)

    def _one(self, action: Action) -> Done:
        began, hit, error = time.time(), ActionResult(), ""
        try:
            hit = self._doing.do(action)
        except Exception as failure:  # judged at the end, with everything else
            error = f"{type(failure).__name__}: {failure}"
        return Done(action, began, time.time(), hit, error)
