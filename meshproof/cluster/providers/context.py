"""A cluster that exists: used, never created or deleted, and nothing of its own is touched.

Outside hosts run as pods in a namespace without sidecars. Their Services are exported to no
namespace, so for the mesh they are not there until a ServiceEntry opens them; ``fit`` points such a
rule at the Service's address, because neither msgd.test nor 10.100.35.27 exists in that network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.cluster import manifests, tools
from meshproof.cluster.assets import LABEL, OUTSIDE, OWNED, SYSTEM
from meshproof.cluster.commands import Runner
from meshproof.cluster.images import Images, outside_name
from meshproof.cluster.kubectl import Kubectl, labels, with_context
from meshproof.cluster.manifests import Json, with_pod
from meshproof.cluster.outside import Host, hosts
from meshproof.cluster.port_forward import Forwards
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError, Unsupported, UsageError
from meshproof.istio04.dump import dump
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.project import Project
from meshproof.sources.sources import read_sources


class ContextProvider:
    """See ``place.Place``."""

    tools = (tools.DOCKER, tools.KUBECTL, tools.ISTIOCTL)

    def __init__(self, runner: Runner, settings: Settings, project: Project) -> None:
        self._runner = runner
        self._settings = settings
        self._project = project
        self._images = Images(runner, settings, project.root)
        self._hosts: dict[str, tuple[Host, str]] = {}
        self._forwards = Forwards(lambda: self.kubectl)
        self._ours = True

    @property
    def kubectl(self) -> Kubectl:
        return with_context(self._runner, self._settings.context)

    @property
    def name(self) -> str:
        return f"context {self._settings.context}"

    def ensure(self) -> None:
        """Raises MeshproofError where a namespace of the manifests is somebody else's."""
        self._ours = False
        found = self.kubectl.get("namespaces", doing=f"looking at {self.name}")
        sources = read_sources(self._project.manifests, stdin=self._project.stdin)
        items = manifests.read_all(sources, "", manifests.default_namespace(sources, ()))
        wanted = {i.namespace for i in items} | {i.name for i in items if i.kind == "Namespace"}
        foreign = sorted(
            n["metadata"]["name"]
            for n in found
            if n["metadata"]["name"] in wanted | {SYSTEM, OUTSIDE} and labels(n).get(LABEL) != OWNED
        )
        if foreign:
            raise MeshproofError(
                f"namespace {', '.join(foreign)} of {self.name} exists and was not made by "
                "meshproof; nothing was changed. Name another in the manifests, or delete it"
            )
        self._ours = True

    def deliver(self, images: Mapping[str, str]) -> None:
        """Pushed to ``REGISTRY``; into the nodes where the context is a kind cluster's."""
        tags = list(images.values())
        kind, dash, cluster = self._settings.context.partition("kind-")
        if self._settings.registry:
            self._images.push(tags)
        elif dash and not kind:
            self._images.load(cluster, tags)
        else:
            raise UsageError(
                f"REGISTRY is not set, and {self.name} is no kind cluster: its nodes need a "
                "registry to pull the suite's images from; wanted REGISTRY=host/path"
            )

    def outside(self, images: Mapping[str, str]) -> list[str]:
        by_host = {host: images.get(outside_name(host), "") for host in self._project.outside}
        found = hosts(self._project.outside, by_host)
        parts = [_namespace(), *(part for host in found for part in _pod_and_service(host))]
        self.kubectl.apply(dump(parts), doing="applying the outside hosts")
        for host in found:
            self.kubectl.wait_rollout(OUTSIDE, _name(host))
            (service,) = self.kubectl.get(
                "service", _name(host), "-n", OUTSIDE, doing=f"asking for {host.host}'s address"
            )
            for name in host.names:
                self._hosts[name] = (host, str(service["spec"]["clusterIP"]))
        if self._settings.istio_skip:
            return []
        return [f"Istio stays in {self.name} after down: `istioctl uninstall --purge` removes it"]

    def fit(self, body: Json) -> Json:
        if body["kind"] == "Deployment":
            by_ip: dict[str, list[str]] = {}
            for name, (host, ip) in self._hosts.items():
                if name in host.dns_names:
                    by_ip.setdefault(ip, []).append(name)
            return with_pod(
                body, {"hostAliases": [{"ip": i, "hostnames": n} for i, n in by_ip.items()]}
            )
        if body["kind"] == "ServiceEntry":
            return self._fit_entry(body)
        return body

    def _fit_entry(self, body: Json) -> Json:
        spec: dict[str, Any] = body["spec"]
        places = [*spec.get("hosts", ()), *(a.split("/")[0] for a in spec.get("addresses", ()))]
        places += [e.get("address", "") for e in spec.get("endpoints", ())]
        for place in places:
            if place in self._hosts:
                endpoints = [{"address": self._hosts[place][1]}]
                changed = {**spec, "resolution": "STATIC", "endpoints": endpoints}
                return {**body, "spec": changed}
        return body

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

    def outside_url(self, name: str) -> str:
        if name not in self._hosts:
            return ""
        host, _ip = self._hosts[name]
        port = next(iter(host.declared.ports))
        return self._forwards.url(OUTSIDE, f"deploy/{_name(host)}", port)

    def outside_logs(self, name: str) -> str:
        host, _ip = self._hosts[name]
        return self.kubectl.run(
            "-n", OUTSIDE, "logs", f"deploy/{_name(host)}", doing=f"reading the log of {name}"
        ).text

    def outside_follow(self, name: str) -> tuple[str, ...]:
        if name not in self._hosts:
            return ()
        host, _ip = self._hosts[name]
        return (
            "kubectl", *self.kubectl.access, "-n", OUTSIDE, "logs", "-f", f"deploy/{_name(host)}",
        )  # fmt: skip

    def outside_fault(self, kind: str, name: str) -> None:
        raise Unsupported(f"fault {kind} of {name}: only on kind, where it is a container")

    def remove(self) -> None:
        """Namespaces and roles that carry our label, and our Telemetry; Istio and all else stay."""
        self._forwards.close()
        if not self._ours:
            return
        self.kubectl.run(
            "delete", "namespace", "-l", f"{LABEL}={OWNED}", "--ignore-not-found",
            doing="deleting our namespaces", timeout=180,
        )  # fmt: skip
        self.kubectl.run(
            "-n", ROOT_NAMESPACE, "delete", "telemetry.telemetry.istio.io",
            "-l", f"{LABEL}={OWNED}", "--ignore-not-found",
            doing="deleting our Telemetry", check=False,
        )  # fmt: skip
        self.kubectl.run(
            "delete", "clusterrole,clusterrolebinding",
            "-l", f"{LABEL}={OWNED}", "--ignore-not-found",
            doing="deleting the add-ons' roles", check=False,
        )  # fmt: skip


def _name(host: Host) -> str:
    return host.host.replace(".", "-")


def _namespace() -> Json:
    own = {LABEL: OWNED, "istio-injection": "disabled"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OUTSIDE, "labels": own}}


def _pod_and_service(host: Host) -> list[Json]:
    assert host.declared.container is not None
    name = _name(host)
    own = {"app": name, LABEL: OWNED}
    metadata = {"name": name, "namespace": OUTSIDE, "labels": own}
    port = next(iter(host.declared.ports))
    container = {
        "name": "app",
        "image": host.image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": k, "value": v} for k, v in host.declared.container.env.items()],
        "ports": [{"containerPort": p} for p in host.declared.ports],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
    }
    pod = {"metadata": {"labels": own}, "spec": {"containers": [container]}}
    hidden = {"networking.istio.io/exportTo": "~"}
    ports = [{"name": f"tcp-{p}", "port": p} for p in host.declared.ports]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": own}, "template": pod},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "annotations": hidden},
            "spec": {"selector": own, "ports": ports},
        },
    ]
