"""A workload as local processes: a Deployment and the image table combined. Pure data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from meshproof.model import volume_files
from meshproof.model.capture import EVERYTHING, Capture
from meshproof.model.container_env import build_environment, expand_arguments
from meshproof.model.kube_pod import Container
from meshproof.model.kube_volumes import VolumeMount
from meshproof.model.kube_workloads import template_of
from meshproof.model.resource import Resource
from meshproof.placeholders import OWN_COMMAND, expand_text
from meshproof.sources.location import FieldPath

_PYTHON = re.compile(r"(/usr/(local/)?bin/)?python3?(\.\d+)?")
"""A container's Python, which is replaced by the one that runs meshproof."""


def is_python(program: str) -> bool:
    """Whether it is replaced by the Python that runs meshproof."""
    return bool(_PYTHON.fullmatch(program))


@dataclass(frozen=True, slots=True)
class Probe:
    """A Kubernetes probe; ``port`` is a container port's number."""

    kind: Literal["http", "tcp", "exec", "grpc"]
    port: int = 0
    path: str = "/"
    """For gRPC the name of the service."""
    headers: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 1


@dataclass(frozen=True, slots=True)
class Program:
    """One container as a process. ``command`` and ``env`` are the image table's, with placeholders;
    the container's own arguments are used literally."""

    container: Container
    path: FieldPath
    """The container's field in its workload's document."""
    command: tuple[str, ...]
    env: Mapping[str, str]
    ports: tuple[tuple[str, int], ...] = ()
    readiness: Probe | None = None
    own_from: int = 0
    """Index from which ``{command}`` is the container's own: the first argument may be replaced."""

    @property
    def name(self) -> str:
        return self.container.name

    @property
    def mounts(self) -> tuple[VolumeMount, ...]:
        return tuple(self.container.volume_mounts)

    def uses(self, placeholder: str) -> bool:
        """Whether its command or environment in the image table has a placeholder."""
        return any(placeholder in part for part in (*self.command, *self.env.values()))

    def argv(self, values: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
        """``values`` are those of the placeholders, ``files`` among them; ``env`` is the process's
        environment, which ``$(NAME)`` refers to."""
        relocate = volume_files.path_relocator(self.mounts, values["files"])
        result: list[str] = []
        for argument in self.command:
            if argument == OWN_COMMAND:
                own = [*map(relocate, expand_arguments(self.container.command, env))][
                    self.own_from :
                ]
                if own and not self.own_from and is_python(own[0]):
                    own[0] = values["python"]
                result += own
            else:
                result.append(expand_text(argument, values))
        return [*result, *map(relocate, expand_arguments(self.container.args, env))]


@dataclass(frozen=True, slots=True)
class Workload:
    """Everything that is needed to start a replica."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    """Of the pod template: Services and subsets select by them."""
    service_account: str
    replicas: int
    image: str
    program: Program
    """The app: the pod's first container."""
    deployment: Resource
    config: tuple[Resource, ...]
    """ConfigMaps and Secrets of its namespace."""
    readiness: Probe | None
    liveness: Probe | None
    startup: Probe | None
    pre_stop: Probe | None
    """Runs before TERM: a command or a request."""
    grace: float
    """Seconds between TERM and KILL."""
    ready_within: float
    """Seconds that a new replica may take until it is ready (``progressDeadlineSeconds``)."""
    template: str
    """Hash of the pod template and its image commands: replicas of another one are replaced."""
    init_programs: tuple[Program, ...] = ()
    """Init containers, in order: each must succeed before the next starts."""
    companions: tuple[Program, ...] = ()
    """The pod's other containers, which run beside the app."""
    claims: tuple[str, ...] = ()
    """``volumeClaimTemplates``: every replica has its own."""
    stateful: bool = False
    """A StatefulSet: pods are named by ordinal."""
    sidecar: bool = True
    """False where injection is off."""
    capture: Capture = EVERYTHING
    """What of its pods' connections their sidecars take."""

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

    @property
    def ports(self) -> tuple[tuple[str, int], ...]:
        """Declared container ports of the whole pod: name (or empty) and number."""
        return tuple(port for program in (self.program, *self.companions) for port in program.ports)

    def server_of(self, port: int) -> Program:
        """The container that declares a port; the app where none does."""
        programs = (self.program, *self.companions)
        serving = (p for p in programs if any(port == number for _, number in p.ports))
        return next(serving, self.program)

    def downward_fields(self, pod: str, ip: str, labels: Mapping[str, str]) -> dict[str, str]:
        """The downward API: values of everything that ``fieldRef`` may name."""
        annotations = template_of(self.deployment).metadata.annotations
        return {
            "metadata.name": pod,
            "metadata.namespace": self.namespace,
            "metadata.uid": pod,
            "status.podIP": ip,
            "status.podIPs": ip,
            "status.hostIP": "127.0.0.1",
            "spec.serviceAccountName": self.service_account,
            "spec.nodeName": "localhost",
            "metadata.labels": _format_map(labels),
            "metadata.annotations": _format_map(annotations),
            **{f"metadata.labels['{k}']": v for k, v in labels.items()},
            **{f"metadata.annotations['{k}']": v for k, v in annotations.items()},
        }

    def container_env(
        self, program: Program, fields: Mapping[str, str], files: str = ""
    ) -> dict[str, str]:
        """A container's own variables in one replica; paths of its mounts move below ``files``.

        Raises Refused for a missing ConfigMap, Secret, key or field.
        """
        relocate: Callable[[str], str] = volume_files.path_relocator(program.mounts, files)
        env = build_environment(
            self.deployment, program.container, program.path, self.config, fields
        )
        return {name: relocate(value) for name, value in env.items()}


def _format_map(values: Mapping[str, str]) -> str:
    """As the downward API writes a map into a file."""
    return "\n".join(f"{key}={json.dumps(text)}" for key, text in sorted(values.items()))
