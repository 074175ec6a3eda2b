"""A workload as local processes: what a Deployment and the image table say together. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from meshproof.model.kube_env import arguments, environment
from meshproof.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Probe:
    """A Kubernetes probe; ``port`` is a container port's number."""

    kind: Literal["http", "tcp", "exec"]
    port: int = 0
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 1


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that starting one replica takes.

    The image table's ``command`` and ``env`` hold placeholders; what the manifest says (``args``,
    the container's own environment) is taken to the letter.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    """Of the pod template: what Services and subsets select by."""
    service_account: str
    replicas: int
    image: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    args: tuple[str, ...]
    deployment: Resource
    config: tuple[Resource, ...]
    """ConfigMaps and Secrets of its namespace."""
    ports: tuple[tuple[str, int], ...]
    """Declared container ports: name (or empty) and number."""
    readiness: Probe | None
    liveness: Probe | None
    startup: Probe | None
    pre_stop: Probe | None
    """What is called before TERM: a command or a request."""
    grace: float
    """Seconds between TERM and KILL."""
    ready_within: float
    """Seconds that a new replica may take until it is ready (``progressDeadlineSeconds``)."""
    template: str
    """Hash of the pod template and its image command: replicas of another one are replaced."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def app(self) -> str:
        """The ``app`` label, by which Istio names a service in traces, else the name."""
        return self.labels.get("app", self.name)

    def takes_socket(self) -> bool:
        """Whether its command listens on a Unix socket that we name."""
        return any("{socket}" in part for part in (*self.command, *self.env.values()))

    def takes_address(self) -> bool:
        """Whether its command listens on an address that we choose."""
        return any("{ip}" in part for part in (*self.command, *self.env.values()))

    def container_env(self, pod: str, ip: str) -> dict[str, str]:
        """The manifest's own variables for one replica. Raises Refused for a missing ConfigMap,
        Secret, key or field."""
        fields = {
            "metadata.name": pod,
            "metadata.namespace": self.namespace,
            "status.podIP": ip,
            "status.hostIP": "127.0.0.1",
            "spec.serviceAccountName": self.service_account,
            "spec.nodeName": "localhost",
            **{f"metadata.labels['{k}']": v for k, v in self.labels.items()},
        }
        return environment(self.deployment, self.config, fields)

    def container_args(self, env: Mapping[str, str]) -> list[str]:
        return arguments(self.args, env)
