"""A mesh without Envoys: it remembers what it was asked, and says what it is told to say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError, NotLive, Problem, Refused, UsageError
from meshproof.host import process_identity, run_folder
from meshproof.mesh import (
    AccessRecord,
    Ack,
    Answer,
    Applied,
    Capability,
    ExecResult,
    Input,
    MeshStatus,
    ReplicaStatus,
    Span,
)
from meshproof.sources.sources import read_sources
from meshproof.telemetry.log_lines import LineFilter, LogLine, read_file, sort_lines

PROBLEM = Problem("a.yaml", 3, "RouteRule default/a", "spec.weight", "is text", "a number", "")
WARNING = Problem("b.yaml", 7, "", "", "nobody declares v3", "", "")
BINARY = bytes(range(256))


class FakeMesh:
    """Implements ``ServedMesh``. The text ``refuse`` in any file makes it refuse that file."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, name: str = "shop") -> None:
        self.name = name
        self.run_id = process_identity.new_run_id()
        self.calls: list[tuple[Any, ...]] = []
        self.folder: Path | None = None

    @property
    def run_dir(self) -> Path:
        assert self.folder is not None
        return self.folder

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "control"

    def _applied(self, *resources: str) -> Applied:
        return Applied(resources, (Ack("svca-1", "2", 0.004),), 0.005, (WARNING,))

    def up(self) -> Applied:
        self.folder = run_folder.create(self.run_id)
        return self._applied("Deployment default/svca created")

    def down(self) -> None:
        if self.folder is not None:
            run_folder.remove(self.folder, self.run_id)

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        texts = read_sources(sources)
        self.calls.append(("apply", list(texts), namespace, strict))
        for _, text in texts:
            if "refuse" in text:
                raise Refused([PROBLEM, WARNING])
            if "stuck" in text:
                raise NotLive("svca-1 stayed silent")
            if "crash" in text:
                raise ZeroDivisionError("a bug")
        return self._applied(*(f"File {file} created" for file, _ in texts))

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        texts = read_sources(sources)
        self.calls.append(("delete", list(texts), namespace))
        return self._applied(*(f"File {file} deleted" for file, _ in texts))

    def reset(self) -> Applied:
        self.calls.append(("reset",))
        return self._applied()

    def scale(self, workload: str, replicas: int) -> Applied:
        self.calls.append(("scale", workload, replicas))
        return self._applied(f"Deployment {workload} scaled to {replicas}")

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        self.calls.append(("fault", kind, workload, how))

    def url(self, target: str) -> str:
        if target == "nope":
            raise UsageError("no workload nope; there is default/svca")
        return f"http://127.0.0.1:8080/{target}"

    def environment(self, workload: str) -> dict[str, str]:
        return {
            "WORKLOAD": workload,
            "http_proxy": "http://127.0.0.2:15001",
            "PATH": "/nowhere",
            process_identity.RUN_ID_VARIABLE: self.run_id,
        }

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        raise AssertionError("the caller's own process becomes the command")

    def curl(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        self.calls.append(("curl", workload, url, method, list(headers), body))
        if "closed" in url:
            return Answer(502, (("server", "envoy"),), b"", 0.001, "a ServiceEntry would open it")
        return Answer(200, (("server", "envoy"), ("x-a", "1")), BINARY, 0.001)

    def spans(self, run_id: str) -> list[Span]:
        return [Span("t", "s", "", "CLIENT", "svca", run_id, 1.5, 0.25, {"k": "v"})]

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return []

    def metrics(self, workload: str = "") -> str:
        return f"istio_requests_total{{app='{workload}'}} 1\n"

    def log_files(self, workload: str) -> list[Path]:
        if workload == "nope":
            raise UsageError("no workload nope; there is default/svca")
        files = [self.run_dir / "svca-1.log"]
        return [*files, self.run_dir / "svca-2.log"] if workload == "both" else files

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        selection = LineFilter(trace_id, run_id)
        return sort_lines(
            line
            for name in ("svca-1", "svca-2")
            for line in read_file(self.run_dir / f"{name}.log", name, "app", selection)
        )

    def logs(self, workload: str) -> str:
        return "".join(path.read_text() for path in self.log_files(workload))

    def status(self) -> MeshStatus:
        replica = ReplicaStatus("svca-1", "svca", "default", {"app": "svca"}, False, 2, "127.0.0.2",
                                "ended with code 1")  # fmt: skip
        return MeshStatus(
            self.name, "embedded", (replica,), ("Namespace pay", "VirtualService pay/svcb"), "7"
        )

    def dump(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise MeshproofError(f"{folder}: {error.strerror}") from error
        (folder / "pid").write_text(str(os.getpid()))
