"""networking.istio.io EnvoyFilter in general: patches of Envoy's configuration, by place.

``value`` stays as it is written; ``meshproof.envoy_filters`` holds it against Envoy's own schema.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.regex import Regex
from meshproof.model.workload_selector import NetworkingWorkloadSelector, WorkloadSelector

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
]
Operation = Literal[
    "MERGE", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"
]
PatchContext = Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"]
_INSERTS = ("INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST")
_OPERATIONS: dict[str, tuple[str, ...]] = {
    "LISTENER": ("MERGE", "REMOVE"),
    "LISTENER_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "FILTER_CHAIN": ("MERGE", "ADD", "REMOVE"),
    "NETWORK_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "HTTP_FILTER": ("MERGE", "ADD", "REMOVE", "REPLACE", *_INSERTS),
    "ROUTE_CONFIGURATION": ("MERGE",),
    "VIRTUAL_HOST": ("MERGE", "ADD", "REMOVE", "REPLACE"),
    "HTTP_ROUTE": ("MERGE", "ADD", "REMOVE", *_INSERTS),
    "CLUSTER": ("MERGE", "ADD", "REMOVE"),
}
"""What Istio applies; it passes over the rest in silence. New listeners are not opened here."""


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


class PatchValue(Model):
    operation: Operation
    value: dict[str, Any] | None = None
    filter_class: Literal["UNSPECIFIED"] = "UNSPECIFIED"


class GeneralPatch(Model):
    apply_to: ApplyTo
    match: PatchMatch = PatchMatch.model_construct()
    patch: PatchValue

    @property
    def routes(self) -> str:
        """Empty: for the form of the rate-limit task alone."""
        return ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        operation, wanted = self.patch.operation, _OPERATIONS[self.apply_to]
        if operation not in wanted:
            raise FieldError(
                f"is {operation} with applyTo {self.apply_to}, which does nothing; wanted "
                + " or ".join(wanted),
                "patch",
                "operation",
            )
        if operation != "REMOVE" and self.patch.value is None:
            raise FieldError("is missing; wanted Envoy configuration", "patch", "value")
        return self


class AnyEnvoyFilter(Model):
    """What every EnvoyFilter says of its workloads."""

    workload_selector: NetworkingWorkloadSelector | None = None
    priority: int = 0

    @property
    def selector(self) -> WorkloadSelector | None:
        """In the form of other policies; an empty one selects every workload."""
        selector = self.workload_selector
        return WorkloadSelector.model_construct(match_labels=selector.labels) if selector else None

    @property
    def has_target(self) -> bool:
        """Never: ``targetRefs`` are refused."""
        return False


class GeneralEnvoyFilter(AnyEnvoyFilter):
    config_patches: list[GeneralPatch]

    def contexts(self) -> frozenset[str]:
        """Of local rate limits in the form of Istio's task: none."""
        return frozenset()
