"""gateway.networking.k8s.io TCPRoute and TLSRoute: what is honoured."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from meshproof.model.base_model import Model
from meshproof.model.http_route_references import (
    BackendObjectReference,
    Name,
    ParentReference,
)
from meshproof.model.string_types import Host


class BackendRef(BackendObjectReference):
    weight: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class ConnectionRule(Model):
    name: Name | None = None
    backend_refs: Annotated[list[BackendRef], Field(min_length=1, max_length=16)]


class TCPRouteSpec(Model):
    parent_refs: Annotated[list[ParentReference], Field(min_length=1, max_length=32)]
    rules: Annotated[list[ConnectionRule], Field(min_length=1, max_length=16)]


class TLSRouteSpec(Model):
    """Without ``hostnames`` it is for every name of the listener, or of the parent service."""

    parent_refs: Annotated[list[ParentReference], Field(min_length=1, max_length=32)]
    hostnames: Annotated[list[Host], Field(max_length=16)] = []
    rules: Annotated[list[ConnectionRule], Field(min_length=1, max_length=16)]
