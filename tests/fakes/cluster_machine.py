"""A machine with a fake kind, kubectl, istioctl and docker: every command succeeds, until a test
lets one fail with the output of the real tool (recordings.jsonl, of a real run). A command that no
step may run is refused by ``FakeHost`` itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from meshproof.cluster.dry_run.fake_host import FakeHost
from meshproof.cluster.dry_run.fake_kubernetes import CommandOutput
from meshproof.cluster.factory import make
from meshproof.cluster.mesh import ClusterMesh
from meshproof.project import Project, load_project

ROOT = Path(__file__).parents[2]


@cache
def recorded(start: str, note: str = "", part: str = "") -> CommandOutput:
    """The output of the first recorded command that begins so, has that note and that part."""
    for line in (Path(__file__).parent / "recordings.jsonl").read_text().splitlines():
        record = json.loads(line)
        argv = record["argv"] if isinstance(record["argv"], str) else shlex.join(record["argv"])
        if argv.startswith(start) and note in (record["note"] or "") and part in argv:
            return (record["rc"], record["stdout"], record["stderr"])
    raise AssertionError(f"nothing recorded begins with {start!r} and has note {note!r}")


class Machine(FakeHost):
    """``commands`` holds every command that was run, as a shell would show it."""

    def __init__(self) -> None:
        super().__init__(self._record_command)
        self.commands: list[str] = []
        self.stdins: list[str] = []
        self.files: dict[str, str] = {}
        self.missing: set[str] = set()
        self._failures: list[tuple[str, CommandOutput, int]] = []

    def _record_command(self, argv: Sequence[str], stdin: bytes) -> None:
        self.commands.append(shlex.join(argv))
        self.stdins.append(stdin.decode())

    def fail(self, part: str, output: CommandOutput, *, times: int = 10**9) -> None:
        """Commands that contain ``part`` have this output, so many times."""
        self._failures.append((part, output, times))

    def answer(self, argv: list[str], stdin: str) -> CommandOutput:
        command = shlex.join(argv)
        for index, (part, output, times) in enumerate(self._failures):
            if part in command and times:
                self._failures[index] = (part, output, times - 1)
                return output
        return super().answer(argv, stdin)

    def write(self, file: Path, text: str) -> None:
        self.files[file.name] = text

    def has_tool(self, name: str) -> bool:
        return name not in self.missing

    def ran(self, part: str) -> list[str]:
        """The commands that contain a text."""
        return [command for command in self.commands if part in command]

    def sent(self, part: str) -> list[str]:
        """What commands that contain a text were given on standard input."""
        pairs = zip(self.commands, self.stdins, strict=True)
        return [stdin for command, stdin in pairs if part in command]

    def since(self, act: Callable[[], Any]) -> list[str]:
        """The commands of one act."""
        before = len(self.commands)
        act()
        return self.commands[before:]


def project() -> Project:
    return load_project(ROOT / "meshproof.yaml")


def mesh_on(
    machine: Machine, state: Path, environ: Mapping[str, str] | None = None, kind: str = "kind"
) -> ClusterMesh:
    return make(kind, project(), "test", environ or {}, runner=machine, state=state)


CONTEXT_SETTINGS = {
    "CONTEXT": "site", "REGISTRY": "registry.site/demo", "GATEWAY_URL": "http://127.0.0.1:80/",
}  # fmt: skip


def up_on_context(machine: Machine, state: Path, **settings: str) -> ClusterMesh:
    """A mesh that is up on a cluster that existed."""
    mesh = mesh_on(machine, state, {**CONTEXT_SETTINGS, **settings}, kind="context")
    mesh.up()
    return mesh
