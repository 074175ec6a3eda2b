"""What the parts of one embedded mesh share, and the paths of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.process_names import access_log_file, app_log_file, envoy_log_file
from meshproof.embedded.retired_metrics import RetiredMetrics
from meshproof.embedded.sandbox import Sandboxes
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
    def sockets(self) -> Path:
        return self.root / "s"

    @property
    def xds(self) -> Path:
        return self.sockets / "xds"

    @property
    def zipkin(self) -> Path:
        return self.sockets / "zipkin"

    @property
    def control(self) -> Path:
        return self.sockets / "control"

    def admin(self, slot: int) -> Path:
        """The socket of an Envoy's admin interface."""
        return self.sockets / f"e{slot}"

    def app(self, slot: int) -> Path:
        """The socket of an app."""
        return self.sockets / f"a{slot}"

    def pod_port(self, slot: int, port: int) -> Path:
        """The socket by which proxies outside the pods reach a port of a pod."""
        return self.sockets / f"i{slot}:{port}"

    def pod_probe(self, slot: int) -> Path:
        """The socket of the probe listener of a pod's sidecar."""
        return self.sockets / f"p{slot}"

    def way_out(self, index: int, port: int) -> Path:
        """The socket by which pods reach a port of an outside host."""
        return self.sockets / f"o{index}:{port}"

    @property
    def pods(self) -> Path:
        """Files that pods see instead of this machine's."""
        return self.root / "pods"

    def bootstrap(self, node: str) -> Path:
        return self.root / "etc" / f"{node}.json"

    def environment(self, replica: str) -> Path:
        """The variables of a replica's container, for commands that run beside its app."""
        return self.root / "etc" / f"{replica}.env.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def access_logs(self) -> list[Path]:
        """Of every Envoy that has logged a request, including those that have ended; by name."""
        return sorted(self.logs.glob(access_log_file("*")))

    def app_log(self, name: str) -> Path:
        return self.logs / app_log_file(name)

    def app_logs(self, replica: str) -> list[Path]:
        """The app's, and those of the pod's other containers that wrote any."""
        own, envoy = self.app_log(replica), self.envoy_log(replica)
        others = self.logs.glob(app_log_file(f"{replica}.*"))
        return [own, *sorted(p for p in others if p not in (own, envoy))]

    def envoy_log(self, node: str) -> Path:
        return self.logs / envoy_log_file(node)

    def access_log(self, node: str) -> Path:
        return self.logs / access_log_file(node)

    def private(self, name: str) -> Path:
        """A folder for one process, deleted with the run."""
        path = self.root / "private" / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


@dataclass(frozen=True)
class MeshContext:
    mesh: str
    run_id: str
    paths: RunPaths
    block: AddressBlock
    supervisor: SupervisorClient
    ads: AdsServer
    authority: Authority
    project: Project
    sandboxes: Sandboxes
    base_env: Mapping[str, str]
    """What every process inherits: PATH, HOME, locale; no proxy variable."""
    urls: dict[str, str] = field(default_factory=dict)
    """``zipkin`` and ``metrics`` -> where they are served, once they are."""
    retired: RetiredMetrics = field(default_factory=RetiredMetrics)
    """Metrics of replicas that have ended."""


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log, for a message: what a process wrote before it ended."""
    if not path.exists():
        return "(no output)"
    with path.open("rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - 8192))
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (no output)"
