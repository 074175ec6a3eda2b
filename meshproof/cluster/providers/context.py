"""A cluster that exists, by its kubectl context: used, never created or deleted, and nothing of its
own is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meshproof.cluster import tools
from meshproof.cluster.assets import LABEL, OUTSIDE, OWNED, SYSTEM
from meshproof.cluster.commands import Runner
from meshproof.cluster.images import ImageBuilder
from meshproof.cluster.kubectl import Json, Kubectl, labels_of, with_context
from meshproof.cluster.outside_pods import OutsidePods
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError, UsageError
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.project import Project


class ContextProvider:
    """See ``provider.Provider``."""

    tools = (tools.DOCKER, tools.KUBECTL, tools.ISTIOCTL)
    network = None

    def __init__(self, runner: Runner, settings: Settings, project: Project) -> None:
        self._settings = settings
        self._images = ImageBuilder(runner, settings, project.root)
        self._ours = True
        self.kubectl: Kubectl = with_context(runner, settings.context)
        self.name = f"context {settings.context}"
        self.outside = OutsidePods(self.kubectl, project.outside)

    def ensure(self, namespaces: Collection[str]) -> None:
        self._ours = False
        existing = self.kubectl.get("namespaces", doing=f"looking at {self.name}")
        foreign = sorted(
            item["metadata"]["name"]
            for item in existing
            if item["metadata"]["name"] in {*namespaces, SYSTEM, OUTSIDE}
            and labels_of(item).get(LABEL) != OWNED
        )
        if foreign:
            raise MeshproofError(
                f"namespace {', '.join(foreign)} of {self.name} exists and was not made by "
                "meshproof; nothing was changed. Name another in the manifests, or delete it"
            )
        self._ours = True

    def deliver(self, images: Mapping[str, str]) -> None:
        """Pushes them to ``REGISTRY``; loads them into the nodes where the context is a kind
        cluster's."""
        tags = list(images.values())
        kind, dash, cluster = self._settings.context.partition("kind-")
        if self._settings.registry:
            self._images.push(tags)
        elif dash and not kind:
            self._images.load(cluster, tags)
        else:
            raise UsageError(
                f"REGISTRY is not set, and {self.name} is not a kind cluster: its nodes need a "
                "registry to pull the project's images from; wanted REGISTRY=host/path"
            )

    def find_missing_images(self, images: Collection[str]) -> Mapping[str, str]:  # noqa: ARG002
        """Nobody but the kubelet of each node knows; a rollout ends at its first failed pull."""
        return {}

    def start_outside_hosts(self, images: Mapping[str, str]) -> list[str]:
        self.outside.start(images)
        if self._settings.istio_skip:
            return []
        return [f"Istio stays in {self.name} after down: `istioctl uninstall --purge` removes it"]

    def adapt(self, body: Json) -> Json:
        return self.outside.adapt(body)

    def gateway_url(self) -> str:
        """``GATEWAY_URL``, or what the gateway's Service says: a load balancer, a node port."""
        if self._settings.gateway_url:
            return self._settings.gateway_url
        (service,) = self.kubectl.get(
            "service", INGRESS_GATEWAY, "-n", ROOT_NAMESPACE, doing="looking for the gateway"
        )
        for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
            return f"http://{ingress.get('ip') or ingress['hostname']}"
        ports = [p["nodePort"] for p in service["spec"]["ports"] if p["port"] == 80]
        nodes = self.kubectl.get("nodes", doing="looking for a node's address")
        for node in nodes if ports else ():
            for address in node["status"]["addresses"]:
                if address["type"] == "InternalIP":
                    return f"http://{address['address']}:{ports[0]}"
        raise MeshproofError(f"the gateway of {self.name} has no address: set GATEWAY_URL")

    def remove(self) -> None:
        """What carries our label: namespaces, roles, Telemetry, EnvoyFilter. All else stays."""
        self.outside.close()
        if not self._ours:
            return
        self._delete_owned("namespace", "deleting our namespaces", timeout=180)
        self._delete_owned(
            "telemetry.telemetry.istio.io,envoyfilter.networking.istio.io",
            "deleting our Telemetry and the gateway's mark",
            flags=("-n", ROOT_NAMESPACE), check=False,
        )  # fmt: skip
        kinds = "clusterrole,clusterrolebinding"
        self._delete_owned(kinds, "deleting the add-ons' roles", check=False)

    def _delete_owned(
        self,
        kinds: str,
        doing: str,
        *,
        flags: tuple[str, ...] = (),
        timeout: float = 60,
        check: bool = True,
    ) -> None:
        self.kubectl.run(
            *flags, "delete", kinds, "-l", f"{LABEL}={OWNED}", "--ignore-not-found",
            doing=doing, timeout=timeout, check=check,
        )  # fmt: skip
