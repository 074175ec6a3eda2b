"""networking.istio.io EnvoyFilter: patches of Envoy's configuration, by place.

``value`` stays as it is written; ``meshproof.envoy_filters`` holds it against Envoy's own schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_fields import SILENT, NoEffect
from meshproof.model.regex import Regex
from meshproof.model.workload_selector import (
    NetworkingWorkloadSelector,
    TargetReference,
    WorkloadSelector,
    names_of_gateways,
)

ApplyTo = Literal[
    "LISTENER",
    "LISTENER_FILTER",
    "FILTER_CHAIN",
    "NETWORK_FILTER",
    "HTTP_FILTER",
    "ROUTE_CONFIGURATION",
    "VIRTUAL_HOST",
    "HTTP_ROUTE",
    "CLUSTER",
    "EXTENSION_CONFIG",
    "BOOTSTRAP",
]
Operation = Literal[
    "MERGE", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"
]
PatchContext = Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]
_INSERTS = ("INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST")
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "LISTENER": ("MERGE", "ADD", "REMOVE"),
    "LISTENER_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "FILTER_CHAIN": ("MERGE", "ADD", "REMOVE"),
    "NETWORK_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "HTTP_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "ROUTE_CONFIGURATION": ("MERGE",),
    "VIRTUAL_HOST": ("MERGE", "ADD", "REMOVE", "REPLACE"),
    "HTTP_ROUTE": ("MERGE", "ADD", "REMOVE", *_INSERTS),
    "CLUSTER": ("MERGE", "ADD", "REMOVE"),
    "EXTENSION_CONFIG": ("ADD",),
    "BOOTSTRAP": (),
}
"""What Istio applies; it passes over the rest in silence. Since 1.21 no bootstrap is patched."""


class SubFilter(Model):
    name: str = ""


class Filter(Model):
    name: str = ""
    sub_filter: SubFilter | None = None


class Chain(Model):
    name: str = ""
    sni: str = ""
    transport_protocol: str = ""
    application_protocols: str = ""
    filter: Filter | None = None
    destination_port: int = 0


class ListenerMatch(Model):
    port_number: int = 0
    filter_chain: Chain | None = None
    listener_filter: str = ""
    name: str = ""
    port_name: Annotated[str, SILENT] = ""


class RouteMatch(Model):
    name: str = ""
    action: Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"] = "ANY"


class VirtualHostMatch(Model):
    name: str = ""
    domain_name: str = ""
    route: RouteMatch | None = None


class RouteConfigurationMatch(Model):
    port_number: int = 0
    port_name: str = ""
    gateway: str = ""
    vhost: VirtualHostMatch | None = None
    name: str = ""


class ClusterMatch(Model):
    port_number: int = 0
    service: str = ""
    subset: str = ""
    name: str = ""


class ProxyMatch(Model):
    """``proxyVersion`` may match any part of the version of Istio's proxy; ``metadata`` is of the
    node."""

    proxy_version: Regex = ""
    metadata: dict[str, str] = {}


class PatchMatch(Model):
    context: PatchContext = "ANY"
    proxy: ProxyMatch | None = None
    listener: ListenerMatch | None = None
    route_configuration: RouteConfigurationMatch | None = None
    cluster: ClusterMatch | None = None
    waypoint: Annotated[dict[str, Any] | None, SILENT] = None


class PatchValue(Model):
    operation: Operation
    value: dict[str, Any] | None = None
    filter_class: Annotated[
        Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"],
        NoEffect("Istio reads it nowhere", harmless=("UNSPECIFIED",)),
    ] = "UNSPECIFIED"


class ConfigPatch(Model):
    apply_to: ApplyTo
    match: PatchMatch = PatchMatch.model_construct()
    patch: PatchValue

    @property
    def operation(self) -> Operation:
        """The operation as Istio applies it: an insertion where nothing has an order adds
        (convertToEnvoyFilterWrapper)."""
        operation = self.patch.operation
        ordered = any(name in _INSERTS for name in OPERATIONS[self.apply_to])
        return "ADD" if operation in _INSERTS and not ordered else operation

    @property
    def possible_operations(self) -> tuple[str, ...]:
        """Those that Istio applies to such an object."""
        return OPERATIONS[self.apply_to]

    @property
    def is_applied(self) -> bool:
        """Whether Istio does anything with it."""
        return self.operation in OPERATIONS[self.apply_to]

    @model_validator(mode="after")
    def _has_value(self) -> Self:
        if self.patch.operation != "REMOVE" and self.patch.value is None:
            raise FieldError("is missing; wanted Envoy configuration", "patch", "value")
        return self


class EnvoyFilter(Model):
    workload_selector: NetworkingWorkloadSelector | None = None
    target_refs: list[TargetReference] = []
    config_patches: list[ConfigPatch] = []
    priority: int = 0

    @property
    def selector(self) -> WorkloadSelector | None:
        """In the form of other policies; an empty one selects every workload."""
        selector = self.workload_selector
        return WorkloadSelector.model_construct(match_labels=selector.labels) if selector else None

    @property
    def has_target(self) -> bool:
        """Whether it is for a target rather than for workloads."""
        return bool(self.target_refs)

    @property
    def gateway_targets(self) -> frozenset[str]:
        """The names of the Gateways of the Gateway API that it is for."""
        return names_of_gateways(self.target_refs)
