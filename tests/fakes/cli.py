"""``meshproof`` with ``FakeMesh`` for every mesh; ``FAKE`` says how it misbehaves."""

from __future__ import annotations

import os
import threading

from meshproof import mesh_factory
from meshproof.cli.main import main
from meshproof.errors import MeshproofError, Refused, UsageError
from meshproof.mesh import Applied
from meshproof.project import Project
from tests.fakes.mesh import PROBLEM, FakeMesh

FAULT = os.environ.get("FAKE", "")


class Misbehaving(FakeMesh):
    def up(self) -> Applied:
        if FAULT == "fails":
            raise MeshproofError("svca ended with code 3; its last lines:\n    oops")
        if FAULT == "refuses":
            raise Refused([PROBLEM])
        if FAULT == "crashes":
            raise ZeroDivisionError("a bug")
        if FAULT == "exits":
            os._exit(1)
        applied = super().up()
        if FAULT == "never starts":
            (self.run_dir / "starting").touch()
            threading.Event().wait()
        (self.run_dir / "svca-1.log").write_text("hello\n")
        return applied

    def url(self, target: str) -> str:
        if target == "zipkin":
            raise UsageError("this mesh keeps no traces")
        return os.environ.get("FAKE_URL") or super().url(target)

    def down(self) -> None:
        super().down()
        if FAULT.endswith("never ends"):
            threading.Event().wait()


class Far(Misbehaving):
    """Its workloads run elsewhere, and its end may take a second."""

    end_limit = 1.0

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        raise AssertionError("nobody asks")

    def named_logs(self, workload: str) -> str:
        raise AssertionError("nobody asks")


def make(kind: str, project: Project, name: str) -> Misbehaving:
    return Far(name) if FAULT.startswith("far") else Misbehaving(name)


vars(mesh_factory)["make_mesh"] = make
main()
