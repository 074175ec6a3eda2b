"""networking.istio.io/v1 VirtualService (v1beta1 and v1alpha3 have the same fields).

The parts of its HTTP routes are in ``virtual_service_route``, its TCP and TLS routes in
``virtual_service_l4``. A field that no model lists is refused by name, never ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import Duration
from meshproof.model.export_to import RuleExportTo
from meshproof.model.string_types import Host, Line
from meshproof.model.virtual_service_l4 import (
    TCPRoute,
    TLSRoute,
)
from meshproof.model.virtual_service_route import (
    CorsPolicy,
    Destination,
    Headers,
    HTTPDirectResponse,
    HTTPFaultInjection,
    HTTPMatchRequest,
    HTTPMirrorPolicy,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRouteDestination,
    Percent,
)


class Delegate(Model):
    """The VirtualService without hosts that provides the routes."""

    name: Annotated[str, Field(min_length=1)]
    namespace: Line | None = None


class HTTPRoute(Model):
    name: Line | None = None
    match: list[HTTPMatchRequest] = []
    route: list[HTTPRouteDestination] = []
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirror_percentage: Percent | None = None
    mirror_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """Deprecated by Istio, still honoured; mirrorPercentage wins."""
    mirrors: list[HTTPMirrorPolicy] = []
    cors_policy: CorsPolicy | None = None
    headers: Headers = Headers.empty()
    delegate: Delegate | None = None

    @model_validator(mode="before")
    @classmethod
    def _old_spelling(cls, value: Any) -> Any:
        """The CRD has ``mirror_percent`` too."""
        if isinstance(value, dict) and "mirror_percent" in value:
            fields = {k: v for k, v in value.items() if k != "mirror_percent"}
            return {"mirrorPercent": value["mirror_percent"], **fields}
        return value

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = [
            name
            for name, value in (
                ("route", self.route),
                ("redirect", self.redirect),
                ("directResponse", self.direct_response),
                ("delegate", self.delegate),
            )
            if value
        ]
        if len(actions) != 1:
            named = " and ".join(actions) or "none"
            raise ValueError(
                f"has {named} of route, redirect, directResponse, delegate; wanted one"
            )
        if len(self.route) > 1 and sum(r.weight for r in self.route) == 0:
            raise ValueError("the weights of its destinations add up to 0; wanted more")
        if self.mirror and self.mirrors:
            raise ValueError("has both mirror and mirrors; wanted one")
        return self

    def all_mirrors(self) -> list[tuple[Destination, Percent | None]]:
        """``mirrors`` and ``mirror``, each with its percentage; None means 100."""
        mirrors = [(m.destination, m.percentage) for m in self.mirrors]
        if self.mirror is not None:
            percentage = self.mirror_percentage
            if percentage is None and self.mirror_percent is not None:
                percentage = Percent.model_construct(value=float(self.mirror_percent))
            mirrors.append((self.mirror, percentage))
        return mirrors


class VirtualService(Model):
    """``http`` routes are for HTTP hosts, ``tls`` and ``tcp`` routes for TLS and TCP ports.

    Without ``hosts`` it is a delegate: its routes are used where another one's ``delegate`` names
    it.
    """

    hosts: list[Host] = []
    gateways: list[Line] = []
    http: list[HTTPRoute] = []
    tls: list[TLSRoute] = []
    tcp: list[TCPRoute] = []
    export_to: RuleExportTo = []

    @model_validator(mode="after")
    def _delegate(self) -> Self:
        if self.hosts:
            return self
        if self.gateways:
            raise FieldError("are set on a delegate (it has no hosts); wanted none", "gateways")
        for index, route in enumerate(self.http):
            if route.delegate:
                message = "is in a delegate (it has no hosts), and Istio delegates only once"
                raise FieldError(f"{message}; wanted a route", "http", index, "delegate")
        return self
