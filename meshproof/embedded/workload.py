"""A workload as local processes: what a Deployment and the image table say together. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


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
    """Everything that starting one replica takes. ``argv`` and ``env`` still hold placeholders."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    """Of the pod template: what Services and subsets select by."""
    service_account: str
    replicas: int
    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ports: tuple[tuple[str, int], ...]
    """Declared container ports: name (or empty) and number."""
    readiness: Probe | None
    liveness: Probe | None
    grace: float
    """Seconds between TERM and KILL."""
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
        return any("{socket}" in part for part in (*self.argv, *self.env.values()))

    def takes_address(self) -> bool:
        return any("{ip}" in p or "{port}" in p for p in (*self.argv, *self.env.values()))
