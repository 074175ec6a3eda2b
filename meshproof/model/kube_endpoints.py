"""v1 Endpoints and discovery.k8s.io/v1 EndpointSlice: where a Service without a selector leads."""

from __future__ import annotations

from typing import Annotated, Literal

from meshproof.model.base_model import Model
from meshproof.model.field_types import Port
from meshproof.model.kube_fields import SILENT
from meshproof.model.string_types import NonEmpty

SERVICE_NAME = "kubernetes.io/service-name"
"""The label that ties a slice to its Service."""


class EndpointAddress(Model):
    ip: NonEmpty
    hostname: Annotated[object, SILENT] = None
    node_name: Annotated[object, SILENT] = None
    target_ref: Annotated[object, SILENT] = None


class EndpointPort(Model):
    """``port`` may be missing in a slice: then nothing listens there."""

    name: str = ""
    port: Port | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    app_protocol: Annotated[object, SILENT] = None


class EndpointSubset(Model):
    addresses: list[EndpointAddress] = []
    not_ready_addresses: list[EndpointAddress] = []
    ports: list[EndpointPort] = []


class Endpoints(Model):
    subsets: list[EndpointSubset] = []


class EndpointConditions(Model):
    ready: bool | None = None
    serving: Annotated[object, SILENT] = None
    terminating: Annotated[object, SILENT] = None


class SliceEndpoint(Model):
    addresses: list[NonEmpty]
    conditions: EndpointConditions = EndpointConditions.empty()
    hostname: Annotated[object, SILENT] = None
    target_ref: Annotated[object, SILENT] = None
    node_name: Annotated[object, SILENT] = None
    zone: Annotated[object, SILENT] = None
    hints: Annotated[object, SILENT] = None
    deprecated_topology: Annotated[object, SILENT] = None


class EndpointSlice(Model):
    """Istio passes over slices of DNS names (address type FQDN)."""

    address_type: Literal["IPv4", "IPv6", "FQDN"]
    endpoints: list[SliceEndpoint] = []
    ports: list[EndpointPort] = []
