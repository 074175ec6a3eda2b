"""v1 Service, as a mesh reads it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.kube_fields import SILENT, Ignored, NoEffect, PortRef
from meshproof.model.string_types import NonEmpty, check_domain


class ServicePort(Model):
    port: Port
    name: NonEmpty | None = None
    target_port: PortRef | None = None
    """A number, or the name of a container port; ``port`` by default."""
    protocol: Annotated[
        Literal["TCP", "UDP", "SCTP"], NoEffect("only TCP is carried", ("TCP",))
    ] = "TCP"
    app_protocol: str | None = None
    node_port: Annotated[Any, NoEffect("the port is not opened on the machine's address")] = None


class ServiceSpec(Model):
    """Reachable inside the mesh by name, whatever its ``type``."""

    ports: list[ServicePort] = []
    """Only TCP ports are carried; a headless Service may have none."""
    selector: Labels = {}
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    cluster_ip: Annotated[
        Any,
        NoEffect("without pods: reached by name alone", ("None", "")),
        Field(alias="clusterIP"),
    ] = None
    cluster_ips: Annotated[Any, SILENT, Field(alias="clusterIPs")] = None
    external_ips: Annotated[Any, NoEffect("", ([],)), Field(alias="externalIPs")] = None
    load_balancer_ip: Annotated[Any, NoEffect(), Field(alias="loadBalancerIP")] = None
    ip_families: Annotated[Any, SILENT] = None
    ip_family_policy: Annotated[Any, SILENT] = None
    allocate_load_balancer_node_ports: Annotated[Any, SILENT] = None
    external_name: Annotated[str, AfterValidator(check_domain)] | None = None
    """The host that the service is an alias of, if its type is ExternalName."""
    external_traffic_policy: Annotated[Any, NoEffect("", ("Cluster",))] = None
    health_check_node_port: Ignored = None
    internal_traffic_policy: Annotated[Any, NoEffect("", ("Cluster",))] = None
    load_balancer_class: Ignored = None
    load_balancer_source_ranges: Ignored = None
    publish_not_ready_addresses: Annotated[Any, NoEffect("", (False,))] = None
    session_affinity: Annotated[
        Any, NoEffect("use a DestinationRule's consistentHash", ("None",))
    ] = None
    session_affinity_config: Ignored = None
    traffic_distribution: Literal["PreferClose", "PreferSameZone", "PreferSameNode"] | None = None

    @model_validator(mode="after")
    def _ports_fit(self) -> Self:
        if self.type == "ExternalName" and not self.external_name:
            raise FieldError("is missing, and type is ExternalName; wanted a host", "externalName")
        if not self.ports and not self.headless and self.type != "ExternalName":
            raise FieldError("is empty; wanted one or more, or clusterIP: None", "ports")
        names = [p.name for p in self.ports]
        if len(names) > 1 and (None in names or len(set(names)) < len(names)):
            raise FieldError("need a name each; wanted a different name for each port", "ports")
        numbers = [(p.port, p.protocol) for p in self.ports]
        if len(set(numbers)) < len(numbers):
            raise FieldError("have a number twice; wanted different numbers", "ports")
        return self

    @property
    def headless(self) -> bool:
        return bool(self.cluster_ip == "None")
