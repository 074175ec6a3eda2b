"""networking.istio.io Sidecar: the hosts that a workload's sidecar knows, and its outbound policy.

An egress listener's ``bind`` and what depends on it are refused by name: an app reaches its sidecar
in one way.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model, PartlyHonoured
from meshproof.model.destination_rule import ConnectionPool
from meshproof.model.field_types import Port, upper_case
from meshproof.model.kube_fields import NoEffect
from meshproof.model.port_protocol import Protocol
from meshproof.model.string_types import Line
from meshproof.model.virtual_service_route import Destination
from meshproof.model.workload_selector import NetworkingWorkloadSelector


def _egress_host(value: str) -> str:
    namespace, slash, host = value.partition("/")
    if not (slash and namespace and host) or "/" in host or "*" in host.lstrip("*"):
        raise ValueError(
            f'"{value}" is not an egress host; wanted NAMESPACE/HOST, such as ./*, '
            "shop/cart.shop.svc.cluster.local or ~/*"
        )
    return value


class EgressPort(Model):
    """``protocol`` and ``name`` have no effect: a service's own port defines its protocol."""

    number: Annotated[Port, PartlyHonoured()]
    protocol: Line | None = None
    name: Line | None = None


class EgressListener(Model):
    """``hosts`` are ``NAMESPACE/HOST``: ``.`` is the own namespace, ``*`` any, ``~`` none. A host
    is a full name, ``*`` or ``*.suffix``. With a ``port`` they apply to that port only."""

    port: EgressPort | None = None
    capture_mode: Literal["DEFAULT", "IPTABLES"] | None = None
    hosts: Annotated[list[Annotated[str, AfterValidator(_egress_host)]], Field(min_length=1)]


class IngressPort(Model):
    """Without a ``protocol`` it is detected, as for a Service's port."""

    number: Port
    protocol: Annotated[Protocol | None, BeforeValidator(upper_case)] = None
    name: Line | None = None


def _endpoint(value: str) -> str:
    if value.startswith("unix://"):
        raise ValueError(f"is the socket {value}; wanted 127.0.0.1:PORT or 0.0.0.0:PORT")
    return value


class IngressListener(Model):
    """One port of the app, instead of what Services say of it. ``bind`` has no effect beside
    ``captureMode`` DEFAULT and IPTABLES but on names. istiod reads ``tls`` only where it is
    started with ENABLE_TLS_ON_SIDECAR_INGRESS."""

    port: IngressPort
    bind: Annotated[str | None, NoEffect("it names the listener, and nothing more")] = None
    capture_mode: Literal["DEFAULT", "IPTABLES"] | None = None
    default_endpoint: Annotated[str, AfterValidator(_endpoint), PartlyHonoured()] = ""
    """Where the app listens: ``HOST:PORT``, with 127.0.0.1 or ``0.0.0.0`` for the pod's address."""
    tls: Annotated[object, NoEffect("istiod ignores it by default, too")] = None
    connection_pool: ConnectionPool | None = None

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """Host and port of the app; None where that is the port itself."""
        host, _, port = self.default_endpoint.rpartition(":")
        return (host, int(port)) if host and port.isdigit() else None


class OutboundTrafficPolicy(Model):
    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] = "REGISTRY_ONLY"
    """Istio's enum has REGISTRY_ONLY first, so ``{}`` means it."""
    egress_proxy: Destination | None = None
    """Where ALLOW_ANY sends all that is for no known host; its host is a full name."""


class Sidecar(Model):
    workload_selector: NetworkingWorkloadSelector | None = None
    ingress: list[IngressListener] = []
    egress: list[EgressListener] = []
    inbound_connection_pool: ConnectionPool | None = None
    """For connections to the app, instead of a DestinationRule's for its service."""
    outbound_traffic_policy: OutboundTrafficPolicy | None = None

    @model_validator(mode="after")
    def _one_listener(self) -> Self:
        ports = [e.port.number if e.port else None for e in self.egress]
        for index, port in enumerate(ports):
            if port is None and index < len(ports) - 1:
                message = "has no port and is not the last, which Istio refuses; wanted a port"
                raise FieldError(message, "egress", index)
            if port in ports[:index]:
                raise FieldError(f"{port} is taken; wanted another", "egress", index, "port")
        return self
