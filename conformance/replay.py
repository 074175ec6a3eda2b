"""Runs cases on a mesh: rules on, requests from inside the workloads, answers compared, reset."""

from __future__ import annotations

import json
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.cases import Case, batches, filled
from conformance.compare import differences
from meshproof.errors import MeshproofError, Refused
from meshproof.mesh import Mesh, Source

FOLDER = Path(__file__).parent
SENDER = FOLDER / "recorded" / "send.py"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``verdict`` is agreed, different or refused; ``details`` say what differs, or why."""

    case: str
    verdict: str
    details: tuple[str, ...] = ()
    seconds: float = 0.0


def replay(mesh: Mesh, case: Case) -> Outcome:
    """One case; the mesh is as it was before, whatever happens."""
    started = time.monotonic()
    verdict, details = "refused", []
    try:
        if case.rules.strip():
            mesh.apply([Source(case.file, case.rules)])
        details = _run(mesh, case)
        verdict = "different" if details else "agreed"
    except Refused as refused:
        details = [str(problem) for problem in refused.problems]
    except MeshproofError as error:
        verdict, details = "different", [f"the mesh failed: {error}"]
    finally:
        mesh.reset()
    return Outcome(case.name, verdict, tuple(details), time.monotonic() - started)


def _run(mesh: Mesh, case: Case) -> list[str]:
    token = uuid.uuid4().hex[:8]
    problems = []
    for batch in batches(case):
        answers = _send(mesh, batch[0].sender, [filled(r, token) for r in batch])
        for request, answer in zip(batch, answers, strict=True):
            wanted = {
                k: v.replace("{run}", token) if k == "path" else v
                for k, v in request.expect.items()
            }
            problems += [f"{request.id}: {d}" for d in differences(case.name, wanted, answer)]
    return problems


def _send(mesh: Mesh, sender: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What ``send.py`` says, run as the workload's own container would run it."""
    argv = (sys.executable, "-S", str(SENDER))
    done = mesh.exec(sender, argv, stdin=json.dumps(requests).encode())
    if done.code != 0:
        raise MeshproofError(f"send.py ended with code {done.code}: {done.stderr.decode()}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
