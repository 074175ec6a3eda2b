"""networking.istio.io Sidecar: which hosts a workload's sidecar knows, and what else it lets out.

``ingress``, ``inboundConnectionPool`` and an egress listener's ``port``, ``bind`` and
``captureMode`` are refused by name: the embedded mesh has one outbound listener for all ports.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base import FieldError, Labels, Model


def _egress_host(value: str) -> str:
    namespace, slash, host = value.partition("/")
    if not (slash and namespace and host) or "/" in host or "*" in host.lstrip("*"):
        raise ValueError(
            f'"{value}" is no egress host; wanted NAMESPACE/HOST, such as ./*, '
            "shop/svcb.shop.svc.cluster.local or ~/*"
        )
    return value


class WorkloadLabels(Model):
    labels: Labels = {}


class EgressListener(Model):
    """``hosts`` are ``NAMESPACE/HOST``: ``.`` is the own namespace, ``*`` any, ``~`` none;
    a host is a full name, ``*`` or ``*.suffix``."""

    hosts: Annotated[list[Annotated[str, AfterValidator(_egress_host)]], Field(min_length=1)]


class OutboundTrafficPolicy(Model):
    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] = "REGISTRY_ONLY"
    """Istio's enum has REGISTRY_ONLY first, so ``{}`` means it."""


class Sidecar(Model):
    workload_selector: WorkloadLabels | None = None
    egress: list[EgressListener] = []
    outbound_traffic_policy: OutboundTrafficPolicy | None = None

    @model_validator(mode="after")
    def _one_listener(self) -> Self:
        if len(self.egress) > 1:
            raise FieldError(
                "is a second listener without a port, which Istio refuses; wanted one", "egress", 1
            )
        return self
