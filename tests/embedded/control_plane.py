"""The pure part of a change, from YAML to what every Envoy is sent, without a process."""

from __future__ import annotations

from pathlib import Path

from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.config.world_builder import build_world
from meshproof.embedded.config.world_reuse import WorldReuse
from meshproof.embedded.network_faults import NetworkFaults
from meshproof.embedded.pod.deployments import build_workloads
from meshproof.embedded.snapshots import Snapshots
from meshproof.istio_names import INGRESS_GATEWAY, INGRESS_GATEWAY_LABELS, ISTIO_NAMESPACE
from meshproof.mesh import STDIN, Source
from meshproof.project import ImageCommand, Project
from meshproof.translate.world import Address, ContainerPort, Proxy, Replica
from meshproof.xds import codec
from meshproof.xds.rollout import Snapshot

WORKLOAD = """
apiVersion: v1
kind: Service
metadata: {{name: app-{number}, namespace: many}}
spec: {{selector: {{app: app-{number}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: many}}
spec:
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}, version: v1}}}}
    spec: {{containers: [{{name: app, image: "app:1", ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: app-{number}, namespace: many}}
spec: {{hosts: [app-{number}], http: [{{route: [{{destination: {{host: app-{number}}}}}]}}]}}
---
"""


GATEWAY = Proxy(
    "gateway", ISTIO_NAMESPACE, INGRESS_GATEWAY, INGRESS_GATEWAY_LABELS, INGRESS_GATEWAY
)


class ControlPlane:
    """A mesh of ``size`` workloads that each know every other; one replica each."""

    def __init__(self, size: int) -> None:
        image = ImageCommand(command=["true", "{ip}", "{port}"])
        self._project = Project(Path(), images={"app:1": image})
        self._admission = embedded_admission(self._project)
        self._store = self._admission.new_store()
        self._worlds = WorldReuse()
        self._snapshots = Snapshots(Authority(), NetworkFaults())
        self._live: dict[str, Snapshot] = {}
        self.apply("".join(WORKLOAD.format(number=n) for n in range(size)))

    def apply(self, text: str) -> dict[str, list[str]]:
        """The names of the resources that each Envoy is sent."""
        resources = self._admission.read([Source(STDIN, text)])
        self._store = self._admission.apply(self._store, resources, strict=False).store
        replicas = self._replicas()
        world = self._worlds.of(build_world(self._store, replicas, ()))
        logs = dict.fromkeys((r.name for r in replicas), "/dev/null")
        new = self._snapshots.of(world, world.replicas, logs)
        new[INGRESS_GATEWAY] = self._snapshots.of_gateway(
            world, GATEWAY, "127.60.200.1", {}, "/dev/null"
        )
        before, self._live = self._live, new
        return {node: _changes(before.get(node, Snapshot()), new[node]) for node in new}

    def _replicas(self) -> list[Replica]:
        """New objects each time, as those of a running mesh are."""
        replicas = []
        for number, workload in enumerate(build_workloads(self._store, self._project), start=1):
            ip = f"127.60.{number // 250}.{number % 250 + 1}"
            port = ContainerPort("http", 8080, Address(ip, 8080), Address(ip, 9080))
            replicas.append(
                Replica(
                    name=f"{workload.name}-1",
                    namespace=workload.namespace,
                    workload=workload.name,
                    labels=dict(workload.labels),
                    service_account=workload.service_account,
                    ip=ip,
                    ports=(port,),
                    ready=True,
                )
            )
        return replicas


def _changes(before: Snapshot, after: Snapshot) -> list[str]:
    return [
        name
        for type_url in codec.TYPES
        for name, encoded in after.of(type_url).items()
        if name not in before.of(type_url) or before.of(type_url)[name].digest != encoded.digest
    ]
