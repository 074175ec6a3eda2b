"""networking.istio.io/v1 WorkloadEntry: one endpoint, alone or in a ServiceEntry."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.string_types import Line, check_address


def _endpoint(value: str) -> str:
    return value if not value or value.startswith("unix://") else check_address(value)


class WorkloadEntry(Model):
    """``network`` has no effect: there is only one. Without an address it
    is behind the gateway of its network, and there is none: nobody answers there, nor at a socket
    of another machine (``unix://``)."""

    address: Annotated[str, AfterValidator(_endpoint)] = ""
    ports: dict[str, Port] = {}
    labels: Labels = {}
    weight: Annotated[int, Field(ge=0, le=4294967295)] | None = None
    locality: Line | None = None
    network: Line | None = None
    service_account: Line | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not self.address and not self.network:
            raise FieldError("is missing; wanted an IP address or a DNS name", "address")
        return self
