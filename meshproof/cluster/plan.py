"""``meshproof plan``: every command and manifest of the kind path, in order; none is run."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from meshproof.cluster.dry_run.fake_host import Imagined
from meshproof.cluster.factory import assemble
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.settings import from_env
from meshproof.project import Project
from meshproof.traffic.distributed_load import DistributedLoad

LOCUSTFILE = "e2e/payments/locustfile.py"
_STATE = Path("/STATE")
_MARK = re.compile(r"\bm[0-9a-f]{8}\b")


class _Writing(Imagined):
    """Keeps what would be run and written, as text that a shell could read."""

    def __init__(self, root: Path) -> None:
        super().__init__(self._command)
        self._root = root
        self.lines: list[str] = []

    def _command(self, argv: Sequence[str], stdin: bytes) -> None:
        text = f"$ {shlex.join(argv)}"
        if stdin:
            text += " <<'EOF'\n" + stdin.decode().rstrip("\n") + "\nEOF"
        self._add(text)

    def write(self, file: Path, text: str) -> None:
        if file.name == "owner.json":
            return
        self._add(f"$ cat > {file} <<'EOF'\n{text.rstrip()}\nEOF")

    def note(self, text: str) -> None:
        self._add(f"# {text}")

    def answers(self, url: str) -> str:
        self._add(f"# ask until it answers: {url}")
        return ""

    def heading(self, text: str) -> None:
        self.lines.append(f"\n## {text}\n")

    def _add(self, text: str) -> None:
        here = text.replace(str(_STATE), "$STATE").replace(f"{self._root}/", "")
        self.lines.append(_MARK.sub("MARK", here))


def plan(project: Project, environ: Mapping[str, str], *, kind: str = "kind") -> str:
    """The whole course: up, each rule applied, a load from pods, the add-ons, down, on a machine
    where nothing is there yet.

    ``$STATE`` is the folder for kubeconfigs; ports, pods' names and ``MARK`` are made up; an
    image's tag is of its content, less the base image's id. Raises UsageError for bad settings.
    """
    runner = _Writing(project.root)
    settings = from_env(environ, kind=kind)
    mesh = assemble(ClusterMesh, settings, project, "plan", runner, _STATE)
    runner.heading("up")
    mesh.up()
    for rule in project.rules:
        runner.heading(f"apply -f {os.path.relpath(rule, project.root)}")
        mesh.apply([rule])
    runner.heading("load --workers 2 --users 8 --seconds 30 (not part of e2e)")
    locustfile = f"(the text of {LOCUSTFILE})\n"
    load = DistributedLoad("RUN", workers=2, users=8, seconds=30, locustfile=locustfile)
    mesh.spread_load(load, threading.Event())
    addons = project.root / "manifests" / "observability"
    if addons.is_dir():
        runner.heading("observe (not part of e2e)")
        mesh.observe(addons)
    runner.heading("down")
    mesh.down()
    return "\n".join(runner.lines).lstrip("\n") + "\n"
