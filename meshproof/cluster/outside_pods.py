"""The outside hosts of a cluster that exists: pods in a namespace without sidecars.

Their Services are exported to no namespace, so the mesh does not know them until a ServiceEntry
opens them. ``adapt`` points such a rule at the Service's address, because neither msgd.test nor
10.100.35.27 exists in that network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.cluster.assets import LABEL, OUTSIDE, OWNED
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.manifests import with_pod_fields
from meshproof.cluster.outside_hosts import Host, HostTable
from meshproof.cluster.port_forward import PortForwards
from meshproof.errors import Unsupported
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.project import OutsideHost


class OutsidePods:
    """See ``outside_hosts.OutsideHosts``. ``declared`` is ``outside`` of the project file."""

    def __init__(self, kubectl: Kubectl, declared: Mapping[str, OutsideHost]) -> None:
        self._kubectl = kubectl
        self._declared = declared
        self._hosts = HostTable()
        self._cluster_ips: dict[str, str] = {}
        """Name or alias -> the cluster IP of its Service."""
        self._forwards = PortForwards(kubectl)

    def start(self, images: Mapping[str, str]) -> None:
        """Returns when every pod is available."""
        hosts = self._hosts.fill(self._declared, images)
        documents = [_namespace(), *(part for host in hosts for part in _pod_and_service(host))]
        self._kubectl.apply(documents_to_yaml(documents), doing="applying the outside hosts")
        for host in hosts:
            self._kubectl.wait_rollout(OUTSIDE, _name(host))
            (service,) = self._kubectl.get(
                "service", _name(host), "-n", OUTSIDE, doing=f"asking for {host.host}'s address"
            )
            for name in host.names:
                self._cluster_ips[name] = str(service["spec"]["clusterIP"])

    def close(self) -> None:
        self._forwards.close()

    def adapt(self, body: Json) -> Json:
        """A workload whose pods resolve the hosts' names, or a ServiceEntry that leads to them;
        any other document unchanged."""
        if body["kind"] == "ServiceEntry":
            return self._adapt_service_entry(body)
        return with_pod_fields(body, {"hostAliases": self._host_aliases()})

    def _host_aliases(self) -> list[Json]:
        by_ip: dict[str, list[str]] = {}
        for name, ip in self._cluster_ips.items():
            if name in self._hosts[name].dns_names:
                by_ip.setdefault(ip, []).append(name)
        return [{"ip": ip, "hostnames": names} for ip, names in by_ip.items()]

    def _adapt_service_entry(self, body: Json) -> Json:
        spec: dict[str, Any] = body["spec"]
        names = [*spec.get("hosts", ()), *(a.split("/")[0] for a in spec.get("addresses", ()))]
        names += [e.get("address", "") for e in spec.get("endpoints", ())]
        for name in names:
            if name in self._cluster_ips:
                endpoints = [{"address": self._cluster_ips[name]}]
                return {**body, "spec": {**spec, "resolution": "STATIC", "endpoints": endpoints}}
        return body

    # -- OutsideHosts ----------------------------------------------------------------------------

    def __contains__(self, name: object) -> bool:
        return name in self._hosts

    def url(self, name: str) -> str:
        host = self._hosts[name]
        return self._forwards.url(OUTSIDE, f"deploy/{_name(host)}", host.first_port)

    def logs(self, name: str) -> str:
        deployment = f"deploy/{_name(self._hosts[name])}"
        doing = f"reading the log of {name}"
        return self._kubectl.run("-n", OUTSIDE, "logs", deployment, doing=doing).text

    def follow_command(self, name: str) -> tuple[str, ...]:
        deployment = f"deploy/{_name(self._hosts[name])}"
        return ("kubectl", *self._kubectl.access, "-n", OUTSIDE, "logs", "-f", deployment)

    def fault(self, kind: str, name: str) -> None:
        raise Unsupported(f"fault {kind} of {name}: only on kind, where it is a container")

    def addresses(self, name: str) -> list[str]:
        raise Unsupported(f"{name} is a pod of this cluster: only on kind is it outside")


def _name(host: Host) -> str:
    return host.host.replace(".", "-")


def _namespace() -> Json:
    labels = {LABEL: OWNED, "istio-injection": "disabled"}
    metadata = {"name": OUTSIDE, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _pod_and_service(host: Host) -> list[Json]:
    name = _name(host)
    labels = {"app": name, LABEL: OWNED}
    metadata = {"name": name, "namespace": OUTSIDE, "labels": labels}
    container = {
        "name": "app",
        "image": host.image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": k, "value": v} for k, v in host.environment.items()],
        "ports": [{"containerPort": p} for p in host.declared.ports],
        "readinessProbe": {"tcpSocket": {"port": host.first_port}, "periodSeconds": 1},
    }
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    hidden = {"networking.istio.io/exportTo": "~"}
    ports = [{"name": f"tcp-{p}", "port": p} for p in host.declared.ports]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "annotations": hidden},
            "spec": {"selector": labels, "ports": ports},
        },
    ]
