"""gateway.networking.k8s.io Gateway, GatewayClass, ReferenceGrant and BackendTLSPolicy: what is
honoured. Defaults are those of the API's own CRDs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port
from meshproof.model.http_route_references import GROUP, Name
from meshproof.model.kube_fields import SILENT
from meshproof.model.string_types import Host, Line, NonEmpty

_MODES = ("MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL")
TLS_MODE = "gateway.istio.io/tls-terminate-mode"
TLS_CIPHERS = "gateway.istio.io/tls-cipher-suites"
"""Istio's keys of a listener's ``tls.options``."""


class GatewayClassSpec(Model):
    controller_name: NonEmpty
    description: Annotated[Any, SILENT] = None


class SecretReference(Model):
    """A Secret, or for authorities a ConfigMap."""

    group: str = ""
    kind: NonEmpty = "Secret"
    name: Name
    namespace: Line | None = None


class ListenerTLS(Model):
    """``options`` are Istio's: the mode of termination and cipher suites."""

    mode: Literal["Terminate", "Passthrough"] = "Terminate"
    certificate_refs: Annotated[list[SecretReference], Field(max_length=64)] = []
    options: dict[str, str] = {}

    @model_validator(mode="after")
    def _known_options(self) -> Self:
        for name, value in self.options.items():
            if name not in (TLS_MODE, TLS_CIPHERS):
                raise FieldError(
                    f"{name} is not an option that Istio knows; wanted {TLS_MODE} or {TLS_CIPHERS}",
                    "options",
                    name,
                    unsupported=True,
                )
            if name == TLS_MODE and value not in _MODES:
                message = f"is {value}; wanted one of {', '.join(_MODES)}"
                raise FieldError(message, "options", name, unsupported=True)
        if self.mode == "Terminate" and not self.certificate_refs and not self.options:
            raise FieldError("is empty, and TLS is terminated; wanted one", "certificateRefs")
        return self


class LabelExpression(Model):
    key: NonEmpty
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        return {
            "In": value in self.values,
            "NotIn": value not in self.values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[self.operator]


class NamespaceSelector(Model):
    match_labels: Labels = {}
    match_expressions: list[LabelExpression] = []

    def matches(self, labels: Labels) -> bool:
        return all(labels.get(k) == v for k, v in self.match_labels.items()) and all(
            expression.matches(labels) for expression in self.match_expressions
        )


class RouteNamespaces(Model):
    from_: Annotated[Literal["All", "Same", "Selector"], Field(alias="from")] = "Same"
    selector: NamespaceSelector = NamespaceSelector.empty()


class RouteKind(Model):
    group: str = GROUP
    kind: NonEmpty


class AllowedRoutes(Model):
    namespaces: RouteNamespaces = RouteNamespaces.empty()
    kinds: Annotated[list[RouteKind], Field(max_length=8)] = []


class Listener(Model):
    """``protocol`` is HTTP, HTTPS, TLS or TCP; a listener of another one is not accepted, as its
    status says."""

    name: Name
    hostname: Host | None = None
    port: Port
    protocol: NonEmpty
    tls: ListenerTLS | None = None
    allowed_routes: AllowedRoutes = AllowedRoutes.empty()

    @model_validator(mode="after")
    def _tls_fits(self) -> Self:
        """As the CRD's own rules say."""
        if self.protocol in ("HTTP", "TCP", "UDP") and self.tls is not None:
            raise FieldError(f"is set, and protocol is {self.protocol}; wanted none", "tls")
        if self.protocol == "HTTPS" and self.tls and self.tls.mode == "Passthrough":
            raise FieldError("is Passthrough, and protocol is HTTPS; wanted TLS", "tls", "mode")
        if self.protocol in ("TCP", "UDP") and self.hostname:
            raise FieldError(f"is set, and protocol is {self.protocol}; wanted none", "hostname")
        return self


class GatewayAddress(Model):
    """``Hostname``: the Service of a gateway that exists already."""

    type: Literal["Hostname", "IPAddress"] = "IPAddress"
    value: NonEmpty | None = None


class Infrastructure(Model):
    labels: Labels = {}
    annotations: Labels = {}


class FrontendValidation(Model):
    ca_certificate_refs: Annotated[list[SecretReference], Field(min_length=1, max_length=8)]
    mode: Literal["AllowValidOnly", "AllowInsecureFallback"] = "AllowValidOnly"


class FrontendTLS(Model):
    validation: FrontendValidation | None = None


class PortTLS(Model):
    port: Port
    tls: FrontendTLS


class Frontend(Model):
    default: FrontendTLS
    per_port: list[PortTLS] = []

    def of(self, port: int) -> FrontendValidation | None:
        own = next((p.tls for p in self.per_port if p.port == port), self.default)
        return own.validation


class GatewayTLS(Model):
    frontend: Frontend | None = None


class KubernetesGateway(Model):
    """Istio's name for the Gateway API's Gateway."""

    gateway_class_name: Name
    listeners: Annotated[list[Listener], Field(min_length=1, max_length=64)]
    addresses: Annotated[list[GatewayAddress], Field(max_length=16)] = []
    infrastructure: Infrastructure = Infrastructure.empty()
    tls: GatewayTLS = GatewayTLS.empty()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        """As the CRD's own rules say."""
        names: set[str] = set()
        places: set[tuple[object, ...]] = set()
        for index, listener in enumerate(self.listeners):
            place = (listener.port, listener.protocol, listener.hostname)
            if listener.name in names:
                message = f"{listener.name} is another listener's too; wanted a name of its own"
                raise FieldError(message, "listeners", index, "name")
            if place in places:
                message = "has port, protocol and hostname of another; wanted a difference"
                raise FieldError(message, "listeners", index)
            names.add(listener.name)
            places.add(place)
        return self


class GrantFrom(Model):
    group: str
    kind: NonEmpty
    namespace: NonEmpty


class GrantTo(Model):
    group: str
    kind: NonEmpty
    name: Name | None = None


class ReferenceGrantSpec(Model):
    from_: Annotated[list[GrantFrom], Field(alias="from", min_length=1, max_length=16)]
    to: Annotated[list[GrantTo], Field(min_length=1, max_length=16)]


class PolicyTarget(Model):
    group: str
    kind: NonEmpty
    name: Name
    section_name: Name | None = None


class SubjectAltName(Model):
    type: Literal["Hostname", "URI"]
    hostname: NonEmpty | None = None
    uri: NonEmpty | None = None


class BackendTLSValidation(Model):
    ca_certificate_refs: Annotated[list[SecretReference], Field(max_length=8)] = []
    well_known_ca_certificates: Annotated[
        Literal["System"] | None, Field(alias="wellKnownCACertificates")
    ] = None
    hostname: NonEmpty
    subject_alt_names: Annotated[list[SubjectAltName], Field(max_length=5)] = []

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.ca_certificate_refs) == (self.well_known_ca_certificates is not None):
            message = "has both or none of caCertificateRefs and wellKnownCACertificates"
            raise ValueError(f"{message}; wanted one")
        return self


class BackendTLSPolicySpec(Model):
    target_refs: Annotated[list[PolicyTarget], Field(min_length=1, max_length=16)]
    validation: BackendTLSValidation
