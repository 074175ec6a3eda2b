"""networking.istio.io/v1 Gateway: what meshproof honours."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port, upper_case
from meshproof.model.string_types import GatewayHost, Line


class GatewayServerPort(Model):
    number: Port
    name: Line | None = None
    protocol: Annotated[Literal["HTTP", "HTTP2", "GRPC", "HTTPS"], BeforeValidator(upper_case)]


class ServerTLSSettings(Model):
    """``httpsRedirect`` is for HTTP, SIMPLE with the Secret ``credentialName`` for HTTPS."""

    https_redirect: bool = False
    mode: Literal["SIMPLE"] | None = None
    credential_name: Annotated[str, Field(min_length=1)] | None = None
    min_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] | None = None
    max_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] | None = None


class GatewayServer(Model):
    port: GatewayServerPort
    hosts: Annotated[list[GatewayHost], Field(min_length=1)]
    name: Line | None = None
    tls: ServerTLSSettings | None = None

    @model_validator(mode="after")
    def _tls_fits(self) -> Self:
        tls = self.tls or ServerTLSSettings()
        if self.port.protocol == "HTTPS":
            if tls.mode is None or tls.credential_name is None:
                raise FieldError(
                    "does not say how TLS is terminated; wanted mode: SIMPLE and credentialName",
                    "tls",
                    unsupported=self.tls is not None,
                )
        elif tls.model_fields_set - {"https_redirect"}:
            message = (
                f"has more than httpsRedirect, but the port's protocol is {self.port.protocol}"
            )
            raise FieldError(f"{message}; wanted HTTPS, or httpsRedirect alone", "tls")
        return self


class Gateway(Model):
    """``selector`` selects the gateway's Envoy by label (``istio: ingressgateway``)."""

    selector: Labels = {}
    servers: Annotated[list[GatewayServer], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_protocol_a_port(self) -> Self:
        first: dict[int, bool] = {}
        for index, server in enumerate(self.servers):
            secure = server.port.protocol == "HTTPS"
            if first.setdefault(server.port.number, secure) != secure:
                message = f"{server.port.number} is HTTP and HTTPS; wanted one of them"
                raise FieldError(message, "servers", index, "port", "number")
        return self
