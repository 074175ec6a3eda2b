"""What an HTTPRoute refers to: its parents and its backends."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Port
from meshproof.model.string_types import Line

GROUP = "gateway.networking.k8s.io"
SERVICE = ("", "Service")
SERVICE_ENTRY = ("networking.istio.io", "ServiceEntry")
GATEWAY = (GROUP, "Gateway")
HOSTNAME = ("networking.istio.io", "Hostname")
"""A backend by its host in the registry (a ServiceEntry's), as Istio accepts it."""
Name = Annotated[Line, Field(min_length=1, max_length=253)]


class ParentReference(Model):
    """Whose requests the route takes: a Gateway's (of the listener ``sectionName``, or of all), or
    in the mesh a Service's or those of Istio's ServiceEntry."""

    group: str = GROUP
    kind: str = "Gateway"
    name: Name
    namespace: Line | None = None
    port: Port | None = None
    section_name: Name | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.group_kind not in (GATEWAY, SERVICE, SERVICE_ENTRY):
            raise FieldError(
                f"{self.group or 'core'} {self.kind} is a parent that meshproof's embedded mesh "
                "does not honour yet; wanted a Gateway, a Service or a ServiceEntry",
                "kind",
                unsupported=True,
            )
        if self.section_name and self.group_kind != GATEWAY:
            message = f"is set, and a {self.kind} has no sections here; wanted port"
            raise FieldError(message, "sectionName", unsupported=True)
        return self

    @property
    def group_kind(self) -> tuple[str, str]:
        return (self.group, self.kind)


class BackendObjectReference(Model):
    group: str = ""
    kind: str = "Service"
    name: Name
    namespace: Line | None = None
    port: Port | None = None

    @model_validator(mode="after")
    def _service_port(self) -> Self:
        if self.group_kind == SERVICE and self.port is None:
            raise FieldError("is missing; wanted the Service's port", "port")
        if self.group_kind == SERVICE and "." in self.name:
            raise FieldError(f"{self.name} is a host; wanted the name of the Service", "name")
        return self

    @property
    def group_kind(self) -> tuple[str, str]:
        return (self.group, self.kind)
