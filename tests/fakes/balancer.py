"""Users who pay one after the other, and a sidecar that sends their calls to two replicas in turn.

Every step of a user may be delayed for any time, so that requests overtake one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.verdicts.recovery import Meetings


@dataclass
class _Call:
    began: float
    replica: int | None = None


@dataclass
class Balancer:
    """A step of a user begins a call, sends it to the next replica, or gets its answer."""

    users: int
    slow: int | None = None
    """A replica that answers one call in a hundred steps; the others answer at once."""
    replicas: tuple[int, ...] = (0, 1)
    _now: float = 0.0
    _turn: int = 0
    _calls: dict[int, _Call] = field(default_factory=dict)
    _members: list[int] = field(default_factory=lambda: [0, 1])
    _dead: set[int] = field(default_factory=set)
    _served: list[tuple[float, int]] = field(default_factory=list)
    _missed: list[tuple[float, int]] = field(default_factory=list)

    def step(self, user: int) -> None:
        self._now += 1
        call = self._calls.get(user)
        if call is None:
            self._calls[user] = _Call(self._now)
        elif call.replica is None:
            self._turn += 1
            call.replica = self._members[self._turn % len(self._members)]
        elif call.replica in self._dead:
            self._missed.append((call.began, call.replica))
            call.replica = next(r for r in self.replicas if r not in self._dead)
        elif call.replica != self.slow or self._now % 100 == 0:
            self._served.append((call.began, call.replica))
            del self._calls[user]

    def kill(self, replica: int) -> None:
        """It answers nothing from now on, not even what it was sent before."""
        self._dead.add(replica)

    def notice(self, replica: int) -> None:
        """The sidecar sends it no more calls."""
        self._members.remove(replica)

    def bring_back(self, replica: int) -> None:
        self._dead.remove(replica)
        self._members.append(replica)

    def meetings(self, replica: int) -> Meetings:
        missed = [began for began, which in self._missed if which == replica]
        return Meetings(
            [began for began, which in self._served if which == replica],
            missed,
            [t for t, which in self._served if which != replica and t not in set(missed)],
        )
