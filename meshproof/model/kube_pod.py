"""Pods as Kubernetes describes them: what a local process can honour, and what it cannot.

A field typed ``Ignored`` is one that Kubernetes knows and a local process does without. It is
accepted, and ``not_honoured`` names it; a field that is in no model is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from meshproof.model.base import FieldError, Labels, Model, Port


@dataclass(frozen=True, slots=True)
class NotHonoured:
    """Marks a field; ``meaning`` says what a user will miss, ``harmless`` what needs no word."""

    meaning: str = ""
    harmless: tuple[Any, ...] = ()
    silent: bool = False
    """No value of the field changes anything here."""


def _port_ref(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
    if number or (isinstance(value, str) and value):
        return value
    raise ValueError("is no port; wanted a number from 1 to 65535, or a port's name")


Ignored = Annotated[Any, NotHonoured()]
Name = Annotated[str, Field(min_length=1)]
PortRef = Annotated[int | str, BeforeValidator(_port_ref)]
"""A port's number or the name of a container port."""
Seconds = Annotated[int, Field(ge=0)]


class HTTPHeader(Model):
    name: Name
    value: str


class HTTPGet(Model):
    port: PortRef
    path: str = "/"
    scheme: Literal["HTTP"] = "HTTP"
    host: Annotated[Any, NotHonoured("the probe goes to the container itself")] = None
    http_headers: list[HTTPHeader] = []


class TCPSocket(Model):
    port: PortRef
    host: Annotated[Any, NotHonoured("the probe goes to the container itself")] = None


class ExecAction(Model):
    command: Annotated[list[str], Field(min_length=1)]


class SleepAction(Model):
    seconds: Seconds


class Probe(Model):
    http_get: HTTPGet | None = None
    tcp_socket: TCPSocket | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: Seconds = 0
    period_seconds: Annotated[int, Field(ge=1)] = 10
    timeout_seconds: Annotated[int, Field(ge=1)] = 1
    success_threshold: Annotated[int, Field(ge=1)] = 1
    failure_threshold: Annotated[int, Field(ge=1)] = 3
    termination_grace_period_seconds: Ignored = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(a is not None for a in (self.http_get, self.tcp_socket, self.exec)) != 1:
            raise ValueError("has not one action; wanted one of httpGet, tcpSocket, exec")
        return self


class LifecycleHandler(Model):
    exec: ExecAction | None = None
    http_get: HTTPGet | None = None
    sleep: SleepAction | None = None
    tcp_socket: Ignored = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(a is not None for a in (self.http_get, self.sleep, self.exec)) != 1:
            raise ValueError("has not one action; wanted one of exec, httpGet, sleep")
        return self


class Lifecycle(Model):
    pre_stop: LifecycleHandler | None = None
    post_start: Annotated[Any, NotHonoured("it is not called")] = None
    stop_signal: Annotated[Any, NotHonoured("the process is asked by SIGTERM", ("SIGTERM",))] = None


class KeyRef(Model):
    """One key of a ConfigMap or Secret."""

    name: Name
    key: Name
    optional: bool = False


class FieldRef(Model):
    api_version: Literal["v1"] = "v1"
    field_path: Name


class EnvVarSource(Model):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None
    field_ref: FieldRef | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        refs = (self.config_map_key_ref, self.secret_key_ref, self.field_ref)
        if sum(r is not None for r in refs) != 1:
            raise ValueError("has not one source; wanted configMapKeyRef, secretKeyRef or fieldRef")
        return self


class EnvVar(Model):
    name: Name
    value: str = ""
    value_from: EnvVarSource | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.value and self.value_from:
            raise ValueError("has both value and valueFrom; wanted one")
        return self


class ObjectRef(Model):
    name: Name
    optional: bool = False


class EnvFromSource(Model):
    prefix: str = ""
    config_map_ref: ObjectRef | None = None
    secret_ref: ObjectRef | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.config_map_ref is None) == (self.secret_ref is None):
            raise ValueError("has not one source; wanted configMapRef or secretRef")
        return self


class ContainerPort(Model):
    container_port: Port
    name: Annotated[str, Field(min_length=1, max_length=15)] | None = None
    protocol: Literal["TCP"] = "TCP"
    host_port: Annotated[Any, NotHonoured("the port is not opened on the machine's address")] = None
    host_ip: Annotated[Any, NotHonoured(), Field(alias="hostIP")] = None


class Container(Model):
    name: Name
    image: Name
    command: list[str] = []
    args: list[str] = []
    env: list[EnvVar] = []
    env_from: list[EnvFromSource] = []
    ports: list[ContainerPort] = []
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    image_pull_policy: Annotated[Any, NotHonoured("no image is pulled")] = None
    resources: Annotated[Any, NotHonoured("no limit is set", ({},))] = None
    resize_policy: Ignored = None
    restart_policy: Ignored = None
    restart_policy_rules: Ignored = None
    security_context: Annotated[Any, NotHonoured("the process runs as the caller", ({},))] = None
    stdin: Ignored = None
    stdin_once: Ignored = None
    termination_message_path: Annotated[Any, NotHonoured("", ("/dev/termination-log",))] = None
    termination_message_policy: Annotated[Any, NotHonoured("", ("File",))] = None
    tty: Ignored = None
    volume_devices: Ignored = None
    volume_mounts: Annotated[Any, NotHonoured("the files are not there", ([],))] = None
    working_dir: Annotated[Any, NotHonoured("the process runs in a folder of its own")] = None


class PodSpec(Model):
    """``containers[0]`` is what runs; the others are named by ``not_honoured``."""

    containers: Annotated[list[Container], Field(min_length=1)]
    service_account_name: str | None = None
    service_account: str | None = None
    """The old name of serviceAccountName."""
    termination_grace_period_seconds: Seconds = 30
    restart_policy: Literal["Always"] = "Always"
    init_containers: Annotated[Any, NotHonoured("they are not run", ([],))] = None
    ephemeral_containers: Annotated[Any, NotHonoured("they are not run", ([],))] = None
    volumes: Annotated[Any, NotHonoured("the files are not there", ([],))] = None
    host_aliases: Annotated[Any, NotHonoured("declare the host under outside instead")] = None
    host_network: Annotated[Any, NotHonoured("", (False,))] = None
    security_context: Annotated[Any, NotHonoured("the process runs as the caller", ({},))] = None
    dns_policy: Annotated[Any, NotHonoured("", ("ClusterFirst",))] = None
    scheduler_name: Annotated[Any, NotHonoured("", ("default-scheduler",))] = None
    host_ipc: Annotated[Any, NotHonoured(), Field(alias="hostIPC")] = None
    host_pid: Annotated[Any, NotHonoured(), Field(alias="hostPID")] = None
    set_hostname_as_fqdn: Annotated[Any, NotHonoured(), Field(alias="setHostnameAsFQDN")] = None
    active_deadline_seconds: Ignored = None
    affinity: Ignored = None
    automount_service_account_token: Ignored = None
    dns_config: Ignored = None
    enable_service_links: Ignored = None
    host_users: Ignored = None
    hostname: Ignored = None
    hostname_override: Ignored = None
    image_pull_secrets: Annotated[Any, NotHonoured("no image is pulled")] = None
    node_name: Ignored = None
    node_selector: Ignored = None
    os: Ignored = None
    overhead: Ignored = None
    preemption_policy: Ignored = None
    priority: Ignored = None
    priority_class_name: Ignored = None
    readiness_gates: Ignored = None
    resource_claims: Ignored = None
    resources: Ignored = None
    runtime_class_name: Ignored = None
    scheduling_gates: Ignored = None
    share_process_namespace: Ignored = None
    subdomain: Ignored = None
    tolerations: Ignored = None
    topology_spread_constraints: Ignored = None

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [c.name for c in self.containers]
        if len(set(names)) < len(names):
            raise FieldError("have one name twice; wanted one of each", "containers")
        return self

    @property
    def account(self) -> str:
        """The service account's name; ``default`` where the pod names none."""
        return self.service_account_name or self.service_account or "default"


class PodMetadata(Model):
    """Labels and annotations of a pod template; the other fields say nothing about a replica."""

    labels: Labels = {}
    annotations: dict[str, str] = {}
    name: str | None = None
    namespace: str | None = None
    creation_timestamp: str | None = None


class PodTemplate(Model):
    metadata: PodMetadata = PodMetadata()
    spec: PodSpec
