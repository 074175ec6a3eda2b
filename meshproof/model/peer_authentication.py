"""security.istio.io/v1 PeerAuthentication (v1beta1 has the same fields).

``portLevelMtls`` without a selector is refused, as by Istio (``pkg/config/validation``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import PortText
from meshproof.model.workload_selector import WorkloadSelector

Mode = Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]


class MutualTLS(Model):
    mode: Mode = "UNSET"


class PeerAuthentication(Model):
    selector: WorkloadSelector | None = None
    mtls: MutualTLS = MutualTLS.empty()
    port_level_mtls: dict[PortText, MutualTLS] = {}
    """By container port."""

    @property
    def has_target(self) -> bool:
        """Never: in Istio it selects workloads only."""
        return False

    @model_validator(mode="after")
    def _ports_of_a_workload(self) -> Self:
        if self.port_level_mtls and not (self.selector and self.selector.match_labels):
            raise FieldError(
                "is set, and there is no selector, which Istio refuses; wanted a selector",
                "portLevelMtls",
            )
        return self
