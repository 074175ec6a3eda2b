"""A kind cluster on this machine's Docker, with the outside hosts as containers beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meshproof.cluster import tools
from meshproof.cluster.commands import Runner
from meshproof.cluster.images import ImageBuilder, outside_image
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.node_images import find_missing
from meshproof.cluster.node_network import NodeNetwork
from meshproof.cluster.outside_containers import OutsideContainers
from meshproof.cluster.providers.kind_cluster import KindCluster
from meshproof.cluster.settings import Settings
from meshproof.cluster.state_dir import StateDir
from meshproof.project import Project


class KindProvider:
    """See ``provider.Provider``."""

    tools = (tools.DOCKER, tools.KIND, tools.KUBECTL, tools.ISTIOCTL)

    def __init__(
        self, runner: Runner, settings: Settings, project: Project, folder: StateDir
    ) -> None:
        self._runner = runner
        self._project = project
        self._cluster = KindCluster(runner, settings, folder)
        self._images = ImageBuilder(runner, settings, project.root)
        self._guest = False
        self._ensured = False
        self.kubectl: Kubectl = self._cluster.kubectl
        self.name = f"kind cluster {self._cluster.name}"
        self.network = NodeNetwork(runner, self._cluster.name, self._cluster.nodes)
        self.outside = OutsideContainers(runner, self._cluster.name, project.outside)

    def ensure(self, namespaces: Collection[str]) -> None:  # noqa: ARG002  # all of them are ours
        self._guest = not self._cluster.ensure()
        self._ensured = True
        if not self._guest:
            self.network.clear()

    def deliver(self, images: Mapping[str, str]) -> None:
        """All but those of outside hosts, which run beside the cluster."""
        outside = {outside_image(host) for host in self._project.outside}
        tags = [tag for name, tag in images.items() if name not in outside]
        self._images.load(self._cluster.name, tags)

    def find_missing_images(self, images: Collection[str]) -> Mapping[str, str]:
        """Asks the nodes, once there are any."""
        if not images or not self._ensured:
            return {}
        return find_missing(self._runner, self._cluster.nodes(), images)

    def start_outside_hosts(self, images: Mapping[str, str]) -> list[str]:
        return self.outside.start(images, self._cluster.nodes())

    def adapt(self, body: Json) -> Json:
        return body

    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self._cluster.gateway_port()}"

    def remove(self) -> None:
        """A cluster that another living process of ours uses stays, with everything beside it."""
        if self._guest or not self._cluster.is_ours_to_delete():
            self._runner.note(f"{self.name} is not this process's; it stays")
            return
        self.outside.remove()
        self._cluster.delete()  # last: a sweep finds the rest by its note
