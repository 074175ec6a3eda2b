"""networking.istio.io/v1 WorkloadEntry: one endpoint, alone or in a ServiceEntry."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from meshproof.model.base_model import Model, PartlyHonoured
from meshproof.model.field_types import Labels, Port
from meshproof.model.string_types import Address, Line


class WorkloadEntry(Model):
    """``locality`` and ``network`` have no effect: there is only one of each."""

    address: Annotated[Address, PartlyHonoured()]
    ports: dict[str, Port] = {}
    labels: Labels = {}
    weight: Annotated[int, Field(ge=0, le=4294967295)] | None = None
    locality: Line | None = None
    network: Line | None = None
    service_account: Line | None = None
