"""One soak, from nothing to nothing: mesh, load, actions, accounting, and what is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import requests as http

from e2e.payments.accounting import adds_up
from e2e.payments.payment import payments
from e2e.payments.rules import ROOT
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.project import Project, load_project
from meshproof.project_path import PROJECT_FILE
from meshproof.report.evidence import ProofFolder
from meshproof.traffic.load import Load
from meshproof.traffic.locustfile_choice import choose_locustfile
from meshproof.traffic.results import Results
from meshproof.verdicts.verdict import Verdict
from soak import account, leaks, resource_growth
from soak.account import Message
from soak.actions import ActionRunner
from soak.plan import MSGD, Action, as_data
from soak.timeline import Done, Timeline

USERS = 4
_BEFORE = 50
"""Requests that are answered before the first action."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Soaked:
    verdicts: tuple[Verdict, ...]
    done: tuple[Done, ...]
    sent: int

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)


def project(**msgd: str) -> Project:
    """This repository's, with more variables for msgd."""
    project = load_project(ROOT / PROJECT_FILE)
    host = project.outside[MSGD]
    changed = host.model_copy(update={"env": {**host.env, **msgd}})
    return replace(project, outside={MSGD: changed})


class Soak:
    """Call once. ``evidence`` gets ``timeline.json``, the records and the verdicts."""

    def __init__(
        self,
        actions: Sequence[Action],
        evidence: ProofFolder,
        say: Say,
        *,
        users: int = USERS,
        project: Project,
    ) -> None:
        self._actions, self._evidence, self._say = actions, evidence, say
        self._users, self._project = users, project
        self._over = threading.Event()

    def run(self) -> Soaked:
        """Raises what brings a mesh or a load to nothing; all else is in the verdicts. Whatever
        it raises, KeyboardInterrupt included, nothing of it goes on running."""
        before = leaks.own()
        mesh = EmbeddedMesh(self._project, name="soak")
        try:
            self._say("bringing the mesh up")
            mesh.up()
            run_dir = mesh.run_dir
            verdicts, done, sent = self._on(mesh)
        finally:
            mesh.down()
        verdicts.append(leaks.left_over(mesh.run_id, run_dir, before))
        for verdict in verdicts:
            self._evidence.record(verdict, "pass")
        return Soaked(tuple(verdicts), tuple(done), sent)

    def _on(self, mesh: EmbeddedMesh) -> tuple[list[Verdict], list[Done], int]:
        doing = ActionRunner(mesh, self._over)
        doing.prepare()
        first = resource_growth.sample()
        sampler = resource_growth.Sampler()
        timeline = Timeline(doing, self._actions, self._over, self._tell)
        load = Load(
            mesh.url("gateway"),
            locustfile=choose_locustfile(self._project, ROOT),
            path=self._project.path,
            users=self._users,
            folder=self._evidence.folder,
        )
        with ExitStack() as ended:
            ended.callback(sampler.stop)
            ended.callback(timeline.join)
            ended.callback(self._over.set)
            ended.enter_context(load).reach(_BEFORE)
            self._say(f"{len(self._actions)} actions under the load of {self._users} payers")
            sampler.start()
            self._from = time.time()
            timeline.start()
            done = timeline.join()
            results = load.stop()
            samples = sampler.stop()
        self._write(done, samples)
        self._say(f"{results.sent} requests sent; settling, and adding up")
        doing.settle()
        bounded = resource_growth.bounded(samples, first, resource_growth.sample())
        return [*self._judged(mesh, results, done), bounded], done, results.sent

    def _judged(self, mesh: EmbeddedMesh, results: Results, done: Sequence[Done]) -> list[Verdict]:
        log = mesh.access_log(results.run_id)
        gateway = [r for r in log if r.direction == "gateway"]
        stored = _stored(mesh, results.run_id)
        self._evidence.write("messages.json", stored)
        self._evidence.lines("gateway.ndjson.gz", gateway)
        paid = payments(results.records)
        judged = [
            account.actions(done, len(self._actions)),
            account.requests(paid, results.sent, gateway, done),
            adds_up("payments", paid, sent=results.sent),
            account.notifications(paid, done),
            account.messages(paid, stored, gateway),
        ]
        if not all(verdict.passed for verdict in judged):
            self._evidence.lines("access_log.ndjson.gz", log)
            mesh.dump(self._evidence.folder / "mesh")
        return judged

    def _tell(self, done: Done) -> None:
        at, seconds = done.began - self._from, done.ended - done.began
        more = " ".join(filter(None, (done.hit.replica, done.hit.note, done.error)))
        self._say(f"{at:7.1f} s  {seconds:5.2f} s  {done.action}" + (f"  ({more})" * bool(more)))

    def _write(
        self, done: Sequence[Done], samples: Sequence[resource_growth.ResourceSample]
    ) -> None:
        self._evidence.write(
            "timeline.json",
            {
                "plan": as_data(self._actions),
                "done": [one.as_dict() for one in done],
                "samples": [one.as_dict() for one in samples],
            },
        )


def _stored(mesh: EmbeddedMesh, run_id: str) -> list[Message]:
    """Every row of msgd's store for a run; one that stands twice is there twice."""
    with http.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"{mesh.url(MSGD)}/messages", params={"run": run_id, "full": "1"}, timeout=300
        )
    answer.raise_for_status()
    return [{"id": m["id"], "trace_id": m["trace_id"]} for m in answer.json()["messages"]]
