"""What each action does to a running mesh."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from e2e.support.processes import find_pid
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.errors import UsageError
from meshproof.host import process_identity
from meshproof.mesh import STDIN, ReplicaStatus, Source
from soak import manifests
from soak.plan import MSGD, REPLICAS, WORKLOADS, Action

BACK_WITHIN = 300.0
"""Seconds after which what was killed is taken for lost; it is started again after 0.1 to 10."""
_LOOK = 0.02


class RecoveryTimeout(Exception):
    """What was killed, paused or closed never came back."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """Whom an action met: a replica and its address; empty where it is about none."""

    replica: str = ""
    address: str = ""
    note: str = ""
    closed: tuple[float, float] | None = None
    """From when until when the way out was closed on every sidecar, by the wall clock."""


class ActionRunner:
    """``over`` ends every holding and waiting early."""

    def __init__(self, mesh: EmbeddedMesh, over: threading.Event) -> None:
        self._mesh, self._over = mesh, over
        self._kinds: dict[str, Callable[[Action], ActionResult]] = {
            "rules": self._rules,
            "timeouts": self._timeouts,
            "scale": self._scale,
            "replace": self._replace,
            "certificates": self._certificates,
            "close egress": self._close_egress,
            "kill": self._kill,
            "pause": self._pause,
            "latency": self._way,
            "loss": self._way,
            "refuse": self._way,
            "cut": self._way,
        }

    def prepare(self) -> None:
        """Open the way out, two replicas of each workload, and a first rule with retries."""
        self._mesh.apply([manifests.EGRESS])
        self._mesh.apply([Source(STDIN, manifests.SAMPLING)])
        for app in ("svca", "svcb"):
            self._mesh.apply([Source(STDIN, manifests.suite(app, "first", min(REPLICAS)))])
        self._mesh.apply([Source(STDIN, manifests.rule("svcb_v0_1_50_v0_2_50"))])

    def do(self, action: Action) -> ActionResult:
        """Do it, hold it, undo it, and return when all is as it should be."""
        return self._kinds[action.kind](action)

    def settle(self) -> None:
        """As many replicas as at first, all of them ready."""
        for workload in WORKLOADS:
            self._mesh.scale(workload, min(REPLICAS))
        self._until(lambda: all(r.ready for r in self._mesh.status().replicas), "all are ready")

    # -- change ----------------------------------------------------------------------------------

    def _rules(self, action: Action) -> ActionResult:
        self._mesh.apply([Source(STDIN, manifests.rule(action.on))])
        return ActionResult()

    def _timeouts(self, action: Action) -> ActionResult:
        self._mesh.apply([Source(STDIN, manifests.rule(action.on, action.amount))])
        return ActionResult()

    def _scale(self, action: Action) -> ActionResult:
        self._mesh.scale(action.on, int(action.amount))
        return ActionResult()

    def _replace(self, action: Action) -> ActionResult:
        colour = f"{action.pick}-at-{action.at:g}"
        self._mesh.apply([Source(STDIN, manifests.suite(action.on, colour, min(REPLICAS)))])
        return ActionResult()

    def _certificates(self, _action: Action) -> ActionResult:
        self._mesh.renew_certificates()
        return ActionResult()

    def _close_egress(self, action: Action) -> ActionResult:
        self._mesh.delete([manifests.EGRESS])
        closed = time.time()
        try:
            self._over.wait(action.hold)
            until = time.time()
        finally:
            self._mesh.apply([manifests.EGRESS])
        return ActionResult(closed=(closed, until))

    # -- processes -------------------------------------------------------------------------------

    def _kill(self, action: Action) -> ActionResult:
        if action.on == MSGD:
            pid = find_pid(self._mesh.run_id, "services.msgd")
            self._mesh.fault("kill", MSGD)
            self._until(lambda: process_identity.start_time(pid) is None, "msgd has ended")
            self._msgd_back()
            return ActionResult()
        return self._at_a_replica(action, self._killed)

    def _pause(self, action: Action) -> ActionResult:
        if action.on == MSGD:
            with self._faulted(action, MSGD, undo="resume"):
                self._over.wait(action.hold)
            self._msgd_back()
            return ActionResult()
        return self._at_a_replica(action, self._paused)

    def _at_a_replica(
        self, action: Action, hit: Callable[[Action, ReplicaStatus], None]
    ) -> ActionResult:
        """Not at the last one that is ready: nobody promises that this goes unnoticed."""
        self._until(lambda: len(self._ready(action.on)) >= min(REPLICAS), f"two of {action.on}")
        ready = self._ready(action.on)
        victim = ready[action.pick % len(ready)]
        try:
            hit(action, victim)
        except UsageError as error:  # it left between the look and the hit
            if self._state(victim) is not None:
                raise
            return ActionResult(victim.name, victim.address, f"gone before it was hit: {error}")
        return ActionResult(victim.name, victim.address)

    def _killed(self, action: Action, victim: ReplicaStatus) -> None:
        self._mesh.fault("kill", action.on, part=action.part, replica=victim.name)
        self._until(lambda: self._is_back(victim), f"{victim.name} is ready again")

    def _is_back(self, victim: ReplicaStatus) -> bool:
        """Restarted and ready, or gone with a change."""
        now = self._state(victim)
        return now is None or (now.restarts > victim.restarts and now.ready)

    def _paused(self, action: Action, victim: ReplicaStatus) -> None:
        self._mesh.fault("pause", action.on, part=action.part, replica=victim.name)
        self._over.wait(action.hold)
        if self._state(victim) is not None:
            self._mesh.fault("resume", action.on, part=action.part, replica=victim.name)
        self._until(lambda: self._is_ready(victim), f"{victim.name} is ready again")

    def _is_ready(self, victim: ReplicaStatus) -> bool:
        now = self._state(victim)
        return now is None or now.ready

    def _state(self, victim: ReplicaStatus) -> ReplicaStatus | None:
        replicas = (r for r in self._mesh.status().replicas if r.name == victim.name)
        return next(replicas, None)

    def _ready(self, workload: str) -> list[ReplicaStatus]:
        replicas = self._mesh.status().replicas
        return sorted(
            (r for r in replicas if r.workload == workload and r.ready), key=lambda r: r.name
        )

    def _msgd_back(self) -> None:
        self._until(self._msgd_answers, "msgd answers")

    def _msgd_answers(self) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.get(f"{self._mesh.url(MSGD)}/readyz", timeout=2).ok
            except requests.RequestException:
                return False

    # -- ways ------------------------------------------------------------------------------------

    def _way(self, action: Action) -> ActionResult:
        how = {"latency": {"ms": action.amount}, "loss": {"percent": action.amount}}
        with self._faulted(action, action.on, undo="heal", **how.get(action.kind, {})):
            self._over.wait(action.hold)
        return ActionResult()

    @contextmanager
    def _faulted(self, action: Action, on: str, *, undo: str, **how: float) -> Iterator[None]:
        self._mesh.fault(action.kind, on, **how)
        try:
            yield
        finally:
            self._mesh.fault(undo, on)

    def _until(self, check: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + BACK_WITHIN
        while not check():
            if time.monotonic() > deadline:
                raise RecoveryTimeout(f"never within {BACK_WITHIN:g} s: {what}")
            time.sleep(_LOOK)
