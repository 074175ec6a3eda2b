"""networking.istio.io/v1 ServiceEntry: what meshproof honours."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.export_to import ExportTo
from meshproof.model.field_types import Port, upper_case
from meshproof.model.port_protocol import Protocol as PortProtocol
from meshproof.model.port_protocol import assumed_protocol
from meshproof.model.string_types import Address, Host, Line
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.model.workload_selector import NetworkingWorkloadSelector

HTTP_PROTOCOLS = frozenset(("HTTP", "HTTP2", "GRPC"))
Protocol = Annotated[
    Literal["HTTP", "HTTP2", "GRPC", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL"],
    BeforeValidator(upper_case),
]


def _unset_if_empty(value: Any) -> Any:
    """As protobuf reads it: an empty text is "not set"."""
    return None if value == "" else value


class ServicePort(Model):
    number: Port
    name: Annotated[str, Field(min_length=1)]
    protocol: Annotated[Protocol | None, BeforeValidator(_unset_if_empty)] = None
    """None: as for a Service's port without a protocol, which Istio detects."""
    target_port: Port | None = None

    @property
    def effective_protocol(self) -> PortProtocol:
        """The protocol, or what is assumed where none is set."""
        return self.protocol or assumed_protocol(self.number)


class ServiceEntry(Model):
    """Opens the mesh to a host; ``resolution`` says where the addresses come from.

    Whatever it is, only declared outside hosts (and, by ``workloadSelector``, replicas of its
    namespace) can be reached: NONE and DYNAMIC_DNS lead to the declared host that the request
    names.
    """

    hosts: Annotated[list[Host], Field(min_length=1)]
    addresses: list[Address] = []
    ports: list[ServicePort] = []
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = None
    resolution: Literal["NONE", "DNS", "DNS_ROUND_ROBIN", "STATIC", "DYNAMIC_DNS"] = "NONE"
    endpoints: list[WorkloadEntry] = []
    workload_selector: NetworkingWorkloadSelector | None = None
    export_to: ExportTo = []
    subject_alt_names: list[Line] = []
    """The names that the certificate must have, unless a DestinationRule's ``tls`` has its own."""

    @model_validator(mode="after")
    def _endpoints_fit(self) -> Self:
        if self.workload_selector is not None:
            if self.endpoints:
                raise FieldError(
                    "cannot be combined with endpoints; wanted one of them", "workloadSelector"
                )
            if self.resolution not in ("STATIC", "DNS", "NONE"):
                message = (
                    f"cannot be combined with resolution {self.resolution}; wanted STATIC or DNS"
                )
                raise FieldError(message, "workloadSelector", unsupported=True)
        if self.endpoints and self.resolution in ("NONE", "DYNAMIC_DNS"):
            raise FieldError(
                f"cannot be combined with resolution {self.resolution}; wanted none", "endpoints"
            )
        if len(self.endpoints) > 1 and self.resolution == "DNS_ROUND_ROBIN":
            raise FieldError("are more than one for DNS_ROUND_ROBIN; wanted one", "endpoints")
        return self

    @model_validator(mode="after")
    def _hosts_fit(self) -> Self:
        by_name = (
            self.resolution in ("DNS", "DNS_ROUND_ROBIN")
            and not self.endpoints
            and self.workload_selector is None
        )
        for index, host in enumerate(self.hosts):
            if host == "*":
                raise FieldError("* is every host; wanted a name or *.suffix", "hosts", index)
            if "*" in host and not host.startswith("*.") and not self._is_plain:
                message = f"{host} begins with a part of a label, as no TLS name can"
                raise FieldError(f"{message}; wanted *.suffix", "hosts", index, unsupported=True)
            if "*" in host and by_name:
                message = f"{host} cannot be resolved; wanted a name, endpoints or resolution NONE"
                raise FieldError(message, "hosts", index)
        return self

    @property
    def _is_plain(self) -> bool:
        """Whether no port is for TLS."""
        return not any(p.effective_protocol in ("HTTPS", "TLS") for p in self.ports)

    @model_validator(mode="after")
    def _ports_and_addresses_fit(self) -> Self:
        numbers = [p.number for p in self.ports]
        if len(set(numbers)) < len(numbers):
            raise FieldError("have a number twice; wanted different numbers", "ports")
        names = [p.name for p in self.ports]
        if len(set(names)) < len(names):
            raise FieldError("have a name twice; wanted different names", "ports")
        return self

    def ranges(self) -> Iterator[tuple[int, str]]:
        """Those of its addresses that are more than one, each with its index."""
        for index, address in enumerate(self.addresses):
            try:
                if ipaddress.ip_network(address, strict=False).num_addresses > 1:
                    yield index, address
            except ValueError:
                continue

    @property
    def speaks_http(self) -> bool:
        """Whether all its ports do."""
        return all(p.effective_protocol in HTTP_PROTOCOLS for p in self.ports)
