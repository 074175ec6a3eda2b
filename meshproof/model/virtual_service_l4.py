"""TLS and TCP routes of a VirtualService: matches by name and port, destinations with weights.

``destinationSubnets`` need pods: without them a tunnel (CONNECT) is opened to a name, not to an
address. ``sourceSubnet``, which Istio ignores, is refused by name.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.string_types import Host, Line
from meshproof.model.virtual_service_route import Destination


class L4MatchAttributes(Model):
    """Fields of one entry are ANDed, the entries of the list ORed."""

    port: Port | None = None
    destination_subnets: list[Line] = []
    """Of the address that a connection is for: ``10.1.0.0/16``, or a single one."""
    source_labels: Labels = {}
    source_namespace: Line | None = None
    gateways: list[Line] = []


class TLSMatchAttributes(L4MatchAttributes):
    """``sniHosts`` are compared with the host that the tunnel is opened to."""

    sni_hosts: Annotated[list[Host], Field(min_length=1)]


class RouteDestination(Model):
    destination: Destination
    weight: Annotated[int, Field(ge=0)] = 0


class _Route(Model):
    route: Annotated[list[RouteDestination], Field(min_length=1)]

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if len(self.route) > 1 and not sum(entry.weight for entry in self.route):
            raise ValueError("the weights of its destinations add up to 0; wanted more")
        return self


class TCPRoute(_Route):
    match: list[L4MatchAttributes] = []


class TLSRoute(_Route):
    match: Annotated[list[TLSMatchAttributes], Field(min_length=1)]
