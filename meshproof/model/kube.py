"""Core Kubernetes objects: Deployment, Service, Namespace, ServiceAccount, ConfigMap, Secret."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.kube_names import check_keys
from meshproof.model.kube_pod import Ignored, Name, NotHonoured, PodTemplate, PortRef
from meshproof.model.string_types import domain

_SILENT = NotHonoured(silent=True)


class LabelSelector(Model):
    match_labels: Labels = {}
    match_expressions: Annotated[Any, NotHonoured("only matchLabels are compared", ([],))] = None


class DeploymentSpec(Model):
    """``apps/v1`` Deployment; a change of pods replaces replicas one by one, whatever strategy."""

    selector: LabelSelector
    template: PodTemplate
    replicas: Annotated[int, Field(ge=0)] = 1
    min_ready_seconds: Ignored = None
    paused: Annotated[Any, NotHonoured("", (False,))] = None
    progress_deadline_seconds: Annotated[int, Field(ge=1)] | None = None
    revision_history_limit: Annotated[Any, _SILENT] = None
    strategy: Annotated[Any, NotHonoured("replicas are replaced in meshproof's own way")] = None

    @model_validator(mode="after")
    def _selects_its_pods(self) -> Self:
        labels = self.template.metadata.labels
        if not self.selector.match_labels and not self.selector.match_expressions:
            raise FieldError("selects nothing; wanted matchLabels", "selector")
        missed = [f"{k}: {v}" for k, v in self.selector.match_labels.items() if labels.get(k) != v]
        if missed:
            found = f"selects {', '.join(missed)}, which the pods of its template do not have"
            raise FieldError(
                f"{found}; wanted labels of template.metadata.labels", "selector", "matchLabels"
            )
        return self


class ServicePort(Model):
    port: Port
    name: Name | None = None
    target_port: PortRef | None = None
    """A number, or the name of a container port; the same as ``port`` where it is not said."""
    protocol: Annotated[
        Literal["TCP", "UDP", "SCTP"], NotHonoured("only TCP is carried", ("TCP",))
    ] = "TCP"
    app_protocol: str | None = None
    node_port: Annotated[Any, NotHonoured("the port is not opened on the machine's address")] = None


class ServiceSpec(Model):
    """Reachable inside the mesh by name, whatever ``type`` says about the world outside."""

    ports: list[ServicePort] = []
    """Those of TCP are carried; a headless Service may have none."""
    selector: Labels = {}
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    cluster_ip: Annotated[
        Any, NotHonoured("clients reach it by name", ("None", "")), Field(alias="clusterIP")
    ] = None
    cluster_ips: Annotated[Any, _SILENT, Field(alias="clusterIPs")] = None
    external_ips: Annotated[Any, NotHonoured("", ([],)), Field(alias="externalIPs")] = None
    load_balancer_ip: Annotated[Any, NotHonoured(), Field(alias="loadBalancerIP")] = None
    ip_families: Annotated[Any, _SILENT] = None
    ip_family_policy: Annotated[Any, _SILENT] = None
    allocate_load_balancer_node_ports: Annotated[Any, _SILENT] = None
    external_name: Annotated[str, AfterValidator(domain)] | None = None
    """The host that the service is another name of, if its type is ExternalName."""
    external_traffic_policy: Annotated[Any, NotHonoured("", ("Cluster",))] = None
    health_check_node_port: Ignored = None
    internal_traffic_policy: Annotated[Any, NotHonoured("", ("Cluster",))] = None
    load_balancer_class: Ignored = None
    load_balancer_source_ranges: Ignored = None
    publish_not_ready_addresses: Annotated[Any, NotHonoured("", (False,))] = None
    session_affinity: Annotated[
        Any, NotHonoured("use a DestinationRule's consistentHash", ("None",))
    ] = None
    session_affinity_config: Ignored = None
    traffic_distribution: Ignored = None

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.type == "ExternalName" and not self.external_name:
            raise FieldError("is missing, and type is ExternalName; wanted a host", "externalName")
        if not self.ports and not self.headless and self.type != "ExternalName":
            raise FieldError("is empty; wanted one or more, or clusterIP: None", "ports")
        names = [p.name for p in self.ports]
        if len(names) > 1 and (None in names or len(set(names)) < len(names)):
            raise FieldError("need a name each; wanted different names of several ports", "ports")
        numbers = [(p.port, p.protocol) for p in self.ports]
        if len(set(numbers)) < len(numbers):
            raise FieldError("have one number twice; wanted different numbers", "ports")
        return self

    @property
    def headless(self) -> bool:
        return bool(self.cluster_ip == "None")


class Namespace(Model):
    spec: Annotated[Any, _SILENT] = None


class ServiceAccount(Model):
    automount_service_account_token: Annotated[Any, _SILENT] = None
    image_pull_secrets: Annotated[Any, NotHonoured("no image is pulled", ([],))] = None
    secrets: Annotated[Any, _SILENT] = None


class ConfigMap(Model):
    """Read through a container's env and envFrom, and as files."""

    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}
    """Base64; files alone have it."""
    immutable: bool = False

    @model_validator(mode="after")
    def _base64(self) -> Self:
        check_keys(self.data, "data")
        check_keys(self.binary_data, "binaryData")
        _decoded(self.binary_data, "binaryData", "base64")
        return self

    @property
    def texts(self) -> dict[str, str]:
        return self.data

    @property
    def files(self) -> dict[str, bytes]:
        texts = {key: text.encode() for key, text in self.data.items()}
        return _decoded(self.binary_data, "binaryData", "base64") | texts


def _decoded(values: Mapping[str, str], field: str, wanted: str) -> dict[str, bytes]:
    """Raises FieldError for what is no base64."""
    found = {}
    for key, value in values.items():
        try:
            found[key] = base64.b64decode("".join(value.split()), validate=True)
        except binascii.Error:
            raise FieldError(f"is not base64; wanted {wanted}", field, key) from None
    return found


class Secret(Model):
    """``data`` is base64; ``stringData`` is not, and wins."""

    data: dict[str, str] = {}
    string_data: dict[str, str] = {}
    type: str = "Opaque"
    immutable: bool = False

    @model_validator(mode="after")
    def _base64(self) -> Self:
        check_keys(self.data, "data")
        check_keys(self.string_data, "stringData")
        _decoded(self.data, "data", "base64, or the text itself under stringData")
        return self

    @property
    def files(self) -> dict[str, bytes]:
        texts = {key: text.encode() for key, text in self.string_data.items()}
        return _decoded(self.data, "data", "base64") | texts

    @property
    def texts(self) -> dict[str, str]:
        """Every value as a text; bytes that are no UTF-8 stay as surrogates, as in os.environ."""
        return {key: data.decode("utf-8", "surrogateescape") for key, data in self.files.items()}
