"""MeshConfig's ``extensionProviders``: the servers that policies and Telemetry name.

Refused as by Istio's own validation (pkg/config/validation/agent/extensionprovider.go), and where
istiod would refuse all requests instead (pilot/pkg/security/authz/builder/extauthz.go). Providers
that Envoy could use, and this mesh does not, are refused by name.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model, PartlyHonoured
from meshproof.model.durations import Duration
from meshproof.model.field_types import Port
from meshproof.model.string_types import HeaderName, HeaderValue, NonEmpty

_SERVICE = re.compile(r"([-a-z0-9]+/)?[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def _check_service(text: str) -> str:
    if not _SERVICE.fullmatch(text):
        raise ValueError(f'"{text}" is not a service; wanted HOST or NAMESPACE/HOST')
    return text


def _check_status(text: str) -> str:
    if text and text not in _STATUSES:
        raise ValueError(f'"{text}" is not a status that Envoy can send; wanted one such as "503"')
    return text


_STATUSES = {str(int(s)) for s in HTTPStatus} - {"101", "102", "103", "418", "425", "451"}
"""envoy.type.v3.StatusCode has no names for those that are taken out."""


def _check_prefix(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError(f'"{text}" does not begin with /; wanted a path such as /check')
    return text


def _check_pattern(text: str) -> str:
    if text == "*":
        raise ValueError('is "*", which Istio refuses here; wanted a name, name* or *name')
    return text


Service = Annotated[NonEmpty, AfterValidator(_check_service)]
"""A host of the registry, or ``NAMESPACE/HOST``."""
Status = Annotated[str, AfterValidator(_check_status)]
PathPrefix = Annotated[str, AfterValidator(_check_prefix)]
HeaderPattern = Annotated[NonEmpty, AfterValidator(_check_pattern)]
"""The name of a header, ``name*`` or ``*name``."""


class Server(Model):
    """A service and its port; the cluster is the caller's own for that service."""

    service: Service
    port: Port


class RequestBody(Model):
    """How much of a request's body is sent with a check."""

    max_request_bytes: Annotated[int, Field(ge=1, le=4294967295)]
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


class ExtAuthzHttp(Server):
    """An external authorization server that is asked by HTTP."""

    timeout: Duration | None = None
    path_prefix: PathPrefix = ""
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: Status = ""
    include_headers_in_check: list[HeaderPattern] = []
    """Deprecated by Istio; used where ``includeRequestHeadersInCheck`` is empty."""
    include_request_headers_in_check: list[HeaderPattern] = []
    include_additional_headers_in_check: dict[HeaderName, HeaderValue] = {}
    include_request_body_in_check: RequestBody | None = None
    headers_to_upstream_on_allow: list[HeaderPattern] = []
    headers_to_downstream_on_deny: list[HeaderPattern] = []
    headers_to_downstream_on_allow: list[HeaderPattern] = []


class ExtAuthzGrpc(Server):
    """An external authorization server that is asked by gRPC (envoy.service.auth.v3)."""

    timeout: Duration | None = None
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: Status = ""
    include_request_body_in_check: RequestBody | None = None


class Header(Model):
    """A header of the reports; its value is written here, since no sidecar has variables."""

    name: HeaderName
    value: HeaderValue


class Zipkin(Server):
    max_tag_length: Annotated[int, Field(ge=0)] = 0
    enable_64bit_trace_id: Annotated[bool, Field(alias="enable64bitTraceId")] = False
    path: str = ""
    trace_context_option: Literal["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"] = "USE_B3"
    timeout: Duration | None = None
    headers: list[Header] = []


class HttpService(Model):
    path: str = ""
    timeout: Duration | None = None
    headers: list[Header] = []


class GrpcService(Model):
    timeout: Duration | None = None
    initial_metadata: list[Header] = []


class OpenTelemetry(Server):
    """Spans by OTLP: by gRPC, or by HTTP where ``http`` is given."""

    max_tag_length: Annotated[int, Field(ge=0)] = 0
    http: HttpService | None = None
    grpc: GrpcService | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.http is not None and self.grpc is not None:
            raise ValueError("has both http and grpc; wanted one of them")
        return self


class LogFormat(Model):
    text: NonEmpty | None = None
    labels: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.text is not None and self.labels is not None:
            raise ValueError("has both text and labels; wanted one of them")
        return self


class EnvoyFileAccessLog(Model):
    """A log of each sidecar on its standard output; without a form of its own it is the mesh's own
    log."""

    path: Annotated[Literal["/dev/stdout", "/dev/stderr"], PartlyHonoured()] = "/dev/stdout"
    log_format: LogFormat | None = None
    omit_empty_values: bool = False


class OtelLogFormat(Model):
    text: str = ""
    labels: dict[str, str] = {}


class EnvoyOtelAls(Server):
    """The access log by OTLP over gRPC."""

    log_name: str = ""
    log_format: OtelLogFormat | None = None


class Prometheus(Model):
    """The sidecars' own metrics."""


class ExtensionProvider(Model):
    """One provider; exactly one field beside ``name`` is given."""

    name: NonEmpty
    envoy_ext_authz_http: ExtAuthzHttp | None = None
    envoy_ext_authz_grpc: ExtAuthzGrpc | None = None
    zipkin: Zipkin | None = None
    opentelemetry: OpenTelemetry | None = None
    prometheus: Prometheus | None = None
    envoy_file_access_log: EnvoyFileAccessLog | None = None
    envoy_otel_als: EnvoyOtelAls | None = None

    @property
    def server(self) -> Server | None:
        """The provider's server, if it has one."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return next((v for v in values if isinstance(v, Server)), None)

    @model_validator(mode="after")
    def _one_provider(self) -> Self:
        kinds = [name for name in self.model_fields_set if name != "name"]
        if len(kinds) != 1:
            raise ValueError(f"has {len(kinds) or 'no'} providers; wanted one")
        return self


def check_names(providers: list[ExtensionProvider]) -> list[ExtensionProvider]:
    """Return ``providers`` if no two have one name. Raises FieldError."""
    names: set[str] = set()
    for index, provider in enumerate(providers):
        if provider.name in names:
            raise FieldError(f'"{provider.name}" is the name of two providers', index, "name")
        names.add(provider.name)
    return providers


ExtensionProviders = Annotated[list[ExtensionProvider], AfterValidator(check_names)]
"""MeshConfig's field."""
