"""What every running part of one embedded mesh shares, and where its files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.telemetry.retired_metrics import RetiredMetrics
from meshproof.host.addresses import AddressBlock
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.project import Project
from meshproof.xds.server import AdsServer


@dataclass(frozen=True)
class RunPaths:
    """Paths inside the run folder. Sockets are named by slot: a Unix path holds 107 bytes."""

    root: Path

    def make(self) -> None:
        for name in ("s", "etc", "logs", "private"):
            (self.root / name).mkdir(mode=0o700)

    @property
    def xds(self) -> Path:
        return self.root / "s" / "xds"

    @property
    def zipkin(self) -> Path:
        return self.root / "s" / "zipkin"

    @property
    def control(self) -> Path:
        return self.root / "s" / "control"

    def admin(self, slot: int) -> Path:
        return self.root / "s" / f"e{slot}"

    def app(self, slot: int) -> Path:
        return self.root / "s" / f"a{slot}"

    def bootstrap(self, node: str) -> Path:
        return self.root / "etc" / f"{node}.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def access_logs(self) -> list[Path]:
        """Of every Envoy that has logged a request, those that ended too; by name."""
        return sorted(self.logs.glob("*.access.jsonl"))

    def app_log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def app_logs(self, replica: str) -> list[Path]:
        """The app's, and those of the containers before and beside it that wrote any."""
        every = self.logs.glob(f"{replica}.*.log")
        own = self.app_log(replica)
        return [own, *sorted(p for p in every if p not in (own, self.envoy_log(replica)))]

    def envoy_log(self, node: str) -> Path:
        return self.logs / f"{node}.envoy.log"

    def access_log(self, node: str) -> Path:
        return self.logs / f"{node}.access.jsonl"

    def private(self, name: str) -> Path:
        """A folder of one process's own, deleted with the run."""
        path = self.root / "private" / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


@dataclass(frozen=True)
class MeshContext:
    mesh: str
    run_id: str
    files: RunPaths
    block: AddressBlock
    supervisor: SupervisorClient
    ads: AdsServer
    authority: Authority
    project: Project
    base_env: Mapping[str, str]
    """What every process inherits: PATH, HOME, locale; no proxy variable."""
    urls: dict[str, str] = field(default_factory=dict)
    """What is looked at from outside -> its URL, once it can be."""
    retired: RetiredMetrics = field(default_factory=RetiredMetrics)
    """What replicas that have ended had counted."""


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log, for a message: what a process said before it ended."""
    if not path.exists():
        return "(no output)"
    with path.open("rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - 8192))
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (no output)"
