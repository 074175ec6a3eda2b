"""A kind cluster on this machine's Docker, with the outside hosts as containers beside it."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.cluster import outside, tools
from meshproof.cluster.commands import Runner
from meshproof.cluster.images import Images, outside_name
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.manifests import Json
from meshproof.cluster.providers.kind_cluster import KindCluster
from meshproof.cluster.settings import Settings
from meshproof.cluster.state_dir import StateDir
from meshproof.errors import UsageError
from meshproof.project import Project


class KindProvider:
    """See ``place.Place``."""

    tools = (tools.DOCKER, tools.KIND, tools.KUBECTL, tools.ISTIOCTL)

    def __init__(
        self, runner: Runner, settings: Settings, project: Project, folder: StateDir
    ) -> None:
        self._runner = runner
        self._project = project
        self._cluster = KindCluster(runner, settings, folder)
        self._images = Images(runner, settings, project.root)
        self._outside = outside.Outside(runner, self._cluster.name, ())
        self._guest = False

    @property
    def kubectl(self) -> Kubectl:
        return self._cluster.kubectl

    @property
    def name(self) -> str:
        return f"kind cluster {self._cluster.name}"

    def ensure(self) -> None:
        self._guest = not self._cluster.ensure()

    def deliver(self, images: Mapping[str, str]) -> None:
        """All but those of outside hosts, which run beside the cluster."""
        beside = {outside_name(host) for host in self._project.outside}
        tags = [tag for name, tag in images.items() if name not in beside]
        self._images.load(self._cluster.name, tags)

    def outside(self, images: Mapping[str, str]) -> list[str]:
        by_host = {host: images.get(outside_name(host), "") for host in self._project.outside}
        hosts = outside.hosts(self._project.outside, by_host)
        self._outside = outside.Outside(self._runner, self._cluster.name, hosts)
        return self._outside.ensure(self._cluster.nodes())

    def fit(self, body: Json) -> Json:
        return body

    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self._cluster.gateway_port()}"

    def outside_url(self, name: str) -> str:
        host = self._outside.find(name)
        return self._outside.url(host) if host else ""

    def outside_logs(self, name: str) -> str:
        host = self._outside.find(name)
        return self._outside.logs(host) if host else ""

    def outside_follow(self, name: str) -> tuple[str, ...]:
        host = self._outside.find(name)
        return self._outside.follow(host) if host else ()

    def outside_fault(self, kind: str, name: str) -> None:
        host = self._outside.find(name)
        if host is None:
            raise UsageError(f"{name} is no outside host")
        if kind in ("pause", "resume"):
            self._outside.pause(host, resume=kind == "resume")
        else:
            self._outside.cut(host, heal=kind == "heal")

    def remove(self) -> None:
        """A cluster that another living process of ours uses stays, with all beside it."""
        if self._guest or not self._cluster.is_ours_to_delete():
            self._runner.note(f"{self.name} is not this process's; it stays")
            return
        self._outside.remove()
        self._cluster.delete()  # last: its note is how a sweep finds the rest
