"""Pods as Kubernetes describes them: what a local process can honour, and what it cannot.

A field typed ``Ignored`` is one that Kubernetes knows and a local process ignores. It is accepted,
and ``ignored_fields`` warns about it. A field that no model lists is refused.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.kube_fields import Ignored, NoEffect, Seconds
from meshproof.model.kube_names import Label
from meshproof.model.kube_probe import Lifecycle, Probe
from meshproof.model.kube_security import PodSecurityContext, SecurityContext
from meshproof.model.kube_volumes import FieldRef, KeyRef, Volume, VolumeMount
from meshproof.model.string_types import NonEmpty

_AS_CALLER = "without pods: the process runs as the caller"


class EnvVarSource(Model):
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None
    field_ref: FieldRef | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        refs = (self.config_map_key_ref, self.secret_key_ref, self.field_ref)
        if sum(r is not None for r in refs) != 1:
            raise ValueError(
                "has no source or more than one; "
                "wanted one of configMapKeyRef, secretKeyRef, fieldRef"
            )
        return self


class EnvVar(Model):
    name: NonEmpty
    value: str = ""
    value_from: EnvVarSource | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.value and self.value_from:
            raise ValueError("has both value and valueFrom; wanted one")
        return self


class ObjectRef(Model):
    name: NonEmpty
    optional: bool = False


class EnvFromSource(Model):
    prefix: str = ""
    config_map_ref: ObjectRef | None = None
    secret_ref: ObjectRef | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.config_map_ref is None) == (self.secret_ref is None):
            raise ValueError("has no source or more than one; wanted configMapRef or secretRef")
        return self


class ContainerPort(Model):
    container_port: Port
    name: Annotated[str, Field(min_length=1, max_length=15)] | None = None
    protocol: Annotated[
        Literal["TCP", "UDP", "SCTP"], NoEffect("only TCP is carried", ("TCP",))
    ] = "TCP"
    host_port: Annotated[Any, NoEffect("the port is not opened on the machine's address")] = None
    host_ip: Annotated[Any, NoEffect(), Field(alias="hostIP")] = None


class Container(Model):
    name: Label
    image: NonEmpty
    command: Annotated[
        list[str], NoEffect("the image table's command runs; {command} there is this one", ([],))
    ] = []
    args: list[str] = []
    env: list[EnvVar] = []
    env_from: list[EnvFromSource] = []
    ports: list[ContainerPort] = []
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    image_pull_policy: Annotated[Any, NoEffect("no image is pulled")] = None
    resources: Annotated[Any, NoEffect("no limit is set", ({},))] = None
    resize_policy: Ignored = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    """For an init container: ``Always`` makes it a sidecar container."""
    restart_policy_rules: Ignored = None
    security_context: Annotated[
        SecurityContext, NoEffect(_AS_CALLER, (SecurityContext.empty(),))
    ] = SecurityContext.empty()
    stdin: Ignored = None
    stdin_once: Ignored = None
    termination_message_path: Annotated[Any, NoEffect("", ("/dev/termination-log",))] = None
    termination_message_policy: Annotated[Any, NoEffect("", ("File",))] = None
    tty: Ignored = None
    volume_devices: Ignored = None
    volume_mounts: list[VolumeMount] = []
    working_dir: Annotated[Any, NoEffect("the process runs in a folder of its own")] = None

    @model_validator(mode="after")
    def _one_success(self) -> Self:
        for field, probe in (
            ("livenessProbe", self.liveness_probe),
            ("startupProbe", self.startup_probe),
        ):
            if probe is not None and probe.success_threshold != 1:
                raise FieldError(
                    f"is {probe.success_threshold}; wanted 1", field, "successThreshold"
                )
        return self


def _check_ip(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f'"{value}" is not an address; wanted one such as 10.96.0.7') from None
    return value


def _check_host_network(value: bool) -> bool:
    if value:
        raise FieldError(
            "is true; wanted false: Istio injects no sidecar into such pods, and here every "
            "workload has one",
            unsupported=True,
        )
    return value


class HostAlias(Model):
    """Lines of a pod's /etc/hosts."""

    ip: Annotated[str, AfterValidator(_check_ip)]
    hostnames: list[NonEmpty] = []


class PodSpec(Model):
    """``containers[0]`` is the app; the others run if the image table has a command for them."""

    containers: Annotated[list[Container], Field(min_length=1)]
    service_account_name: str | None = None
    service_account: str | None = None
    """The old name of serviceAccountName."""
    termination_grace_period_seconds: Seconds = 30
    restart_policy: Literal["Always"] = "Always"
    init_containers: list[Container] = []
    ephemeral_containers: Annotated[Any, NoEffect("they are not run", ([],))] = None
    volumes: list[Volume] = []
    host_aliases: Annotated[
        list[HostAlias], NoEffect("without pods: declare the host under outside instead", ([],))
    ] = []
    host_network: Annotated[bool, AfterValidator(_check_host_network)] = False
    security_context: Annotated[
        PodSecurityContext, NoEffect(_AS_CALLER, (PodSecurityContext.empty(),))
    ] = PodSecurityContext.empty()
    dns_policy: Annotated[Any, NoEffect("", ("ClusterFirst",))] = None
    scheduler_name: Annotated[Any, NoEffect("", ("default-scheduler",))] = None
    host_ipc: Annotated[Any, NoEffect(), Field(alias="hostIPC")] = None
    host_pid: Annotated[Any, NoEffect(), Field(alias="hostPID")] = None
    set_hostname_as_fqdn: Annotated[Any, NoEffect(), Field(alias="setHostnameAsFQDN")] = None
    active_deadline_seconds: Ignored = None
    affinity: Ignored = None
    automount_service_account_token: Ignored = None
    dns_config: Ignored = None
    enable_service_links: Ignored = None
    host_users: Ignored = None
    hostname: Annotated[
        Label | None, NoEffect("without pods: a process has this machine's host name")
    ] = None
    hostname_override: Ignored = None
    image_pull_secrets: Annotated[Any, NoEffect("no image is pulled")] = None
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
        names = [c.name for c in (*self.containers, *self.init_containers)]
        if len(set(names)) < len(names):
            raise FieldError("have a name twice; wanted different names", "containers")
        return self

    @property
    def account(self) -> str:
        """The service account's name, ``default`` if the pod names none."""
        return self.service_account_name or self.service_account or "default"


class PodMetadata(Model):
    """Labels and annotations of a pod template; the other fields have no effect on a replica."""

    labels: Labels = {}
    annotations: dict[str, str] = {}
    name: str | None = None
    namespace: str | None = None
    creation_timestamp: str | None = None


class PodTemplate(Model):
    metadata: PodMetadata = PodMetadata.empty()
    spec: PodSpec
