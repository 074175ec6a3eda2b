"""``meshproof plan``: every command and manifest of the kind path, in order; none is run."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from meshproof.cluster.dry_run.fake_host import FakeHost
from meshproof.cluster.factory import assemble
from meshproof.cluster.settings import from_env
from meshproof.project import Project
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.locustfile_choice import choose_locustfile

_STATE = Path("/STATE")
_MARK = re.compile(r"\bm[0-9a-f]{8}\b")


class _PlanWriter(FakeHost):
    """Collects what would be run and written, as text that a shell could read."""

    def __init__(self, root: Path) -> None:
        super().__init__(self._add_command)
        self._root = root
        self.lines: list[str] = []

    def _add_command(self, argv: Sequence[str], stdin: bytes) -> None:
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

    def probe(self, url: str) -> str:
        self._add(f"# ask until it answers: {url}")
        return ""

    def heading(self, text: str) -> None:
        self.lines.append(f"\n## {text}\n")

    def _add(self, text: str) -> None:
        text = text.replace(str(_STATE), "$STATE").replace(f"{self._root}/", "")
        self.lines.append(_MARK.sub("MARK", text))


def plan(project: Project, environ: Mapping[str, str], *, kind: str = "kind") -> str:
    """A whole run on a machine where nothing exists yet: up, each rule applied, a load from pods,
    the add-ons, down.

    ``$STATE`` is the folder for kubeconfigs. Ports, pods' names and ``MARK`` are invented; an
    image's tag comes from its content, without the base image's id. Raises UsageError for bad
    settings.
    """
    runner = _PlanWriter(project.root)
    parts = assemble(from_env(environ, kind=kind), project, "plan", runner, _STATE)
    runner.heading("up")
    parts.lifecycle.up()
    for rule in project.rules:
        runner.heading(f"apply -f {os.path.relpath(rule, project.root)}")
        parts.changes.apply([rule], namespace="", strict=False)
    runner.heading("load --workers 2 --users 8 --seconds 30 (not part of e2e)")
    locustfile = f"(the text of {choose_locustfile(project, project.root)})\n"
    load = DistributedLoad(
        "RUN", workers=2, users=8, seconds=30, locustfile=locustfile, path=project.path
    )
    parts.extras.spread_load(load, threading.Event())
    addons = project.root / "manifests" / "observability"
    if addons.is_dir():
        runner.heading("observe (not part of e2e)")
        parts.extras.observe(addons)
    runner.heading("down")
    parts.lifecycle.down()
    return "\n".join(runner.lines).lstrip("\n") + "\n"
