"""networking.istio.io/v1 Gateway: what meshproof honours."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels, Port, upper_case
from meshproof.model.string_types import GatewayHost, Line, NonEmpty

Protocol = Literal["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO"]
Mode = Literal[
    "PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"
]
Version = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]
PASSTHROUGH = ("PASSTHROUGH", "AUTO_PASSTHROUGH")
_OWN = ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")


class GatewayServerPort(Model):
    number: Port
    name: Line | None = None
    protocol: Annotated[Protocol, BeforeValidator(upper_case)]

    @property
    def speaks_http(self) -> bool:
        """In plain text."""
        return self.protocol in ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")

    @property
    def speaks_tls(self) -> bool:
        return self.protocol in ("HTTPS", "TLS")


class TLSCertificate(Model):
    """Files of the gateway's container."""

    server_certificate: NonEmpty
    private_key: NonEmpty
    ca_certificates: NonEmpty | None = None


class ServerTLSSettings(Model):
    """Without ``mode`` TLS is passed through, as the first value of Istio's enumeration says.

    ``credentialName`` is a Secret in the gateway's namespace; the paths are files of the gateway's
    container: of a Secret that it mounts, or of this machine.
    """

    https_redirect: bool = False
    mode: Mode = "PASSTHROUGH"
    credential_name: NonEmpty | None = None
    credential_names: Annotated[list[NonEmpty], Field(max_length=2)] = []
    ca_cert_credential_name: NonEmpty | None = None
    server_certificate: NonEmpty | None = None
    private_key: NonEmpty | None = None
    ca_certificates: NonEmpty | None = None
    tls_certificates: Annotated[list[TLSCertificate], Field(max_length=2)] = []
    subject_alt_names: list[NonEmpty] = []
    verify_certificate_spki: list[NonEmpty] = []
    verify_certificate_hash: list[NonEmpty] = []
    min_protocol_version: Version = "TLS_AUTO"
    max_protocol_version: Version = "TLS_AUTO"
    cipher_suites: list[NonEmpty] = []

    @property
    def passes_through(self) -> bool:
        return self.mode in PASSTHROUGH

    @property
    def credentials(self) -> tuple[str, ...]:
        """Names of Secrets with a certificate."""
        return tuple(self.credential_names or filter(None, [self.credential_name]))

    @property
    def files(self) -> tuple[TLSCertificate, ...]:
        """Certificates from files."""
        if self.server_certificate and self.private_key:
            pair = TLSCertificate.model_construct(
                server_certificate=self.server_certificate, private_key=self.private_key
            )
            return (pair,)
        return tuple(self.tls_certificates)

    @model_validator(mode="after")
    def _certificates(self) -> Self:
        """Istio: validateTLSOptions in pkg/config/validation/validation.go."""
        names = {"credentialName": self.credential_name, "credentialNames": self.credential_names}
        own: dict[str, object] = {
            "serverCertificate": self.server_certificate,
            "privateKey": self.private_key,
            "caCertificates": self.ca_certificates,
            "tlsCertificates": self.tls_certificates,
        }
        if self.mode == "ISTIO_MUTUAL":
            for field, value in {**names, **own}.items():
                if value:
                    message = f"{field} is set, and ISTIO_MUTUAL takes the mesh's certificate"
                    raise FieldError(f"{message}; wanted none", field)
        elif self.mode in _OWN:
            self._require_certificates()
        return self

    def _require_certificates(self) -> None:
        sources = [self.credential_name, self.credential_names, self.tls_certificates]
        if sum(map(bool, [*sources, self.server_certificate and self.private_key])) > 1:
            message = "has several of credentialName, credentialNames, serverCertificate with"
            raise FieldError(f"{message} privateKey, tlsCertificates; wanted one", "mode")
        if self.credentials:
            return
        if not self.files:
            message = f"is {self.mode} without a certificate; wanted credentialName, or"
            raise FieldError(f"{message} serverCertificate and privateKey", "mode")
        if self.mode != "SIMPLE" and not self.ca_certificates:
            message = f"is {self.mode} without caCertificates; wanted the authorities of clients"
            raise FieldError(message, "mode")


class GatewayServer(Model):
    port: GatewayServerPort
    hosts: Annotated[list[GatewayHost], Field(min_length=1)]
    name: Line | None = None
    tls: ServerTLSSettings | None = None

    @property
    def terminated(self) -> ServerTLSSettings | None:
        """How TLS is terminated; None where it is not."""
        if self.tls is None or not self.port.speaks_tls or self.tls.passes_through:
            return None
        return self.tls

    @property
    def terminates_https(self) -> bool:
        return self.port.protocol == "HTTPS" and self.terminated is not None

    @model_validator(mode="after")
    def _tls_fits(self) -> Self:
        """Istio: validateServer in pkg/config/validation/validation.go."""
        tls, protocol = self.tls, self.port.protocol
        if self.port.speaks_tls:
            if tls is None:
                raise FieldError(
                    f"is missing, and the port's protocol is {protocol}; wanted a mode", "tls"
                )
        elif tls is not None and self.port.speaks_http:
            certificates = (tls.server_certificate, tls.private_key, tls.ca_certificates)
            if not tls.passes_through or any(certificates):
                message = f"has more than httpsRedirect, but the port's protocol is {protocol}"
                raise FieldError(f"{message}; wanted HTTPS, or httpsRedirect alone", "tls")
        elif tls is not None:
            message = f"is set, but the port's protocol is {protocol}"
            raise FieldError(f"{message}; wanted TLS or HTTPS", "tls")
        return self


class Gateway(Model):
    """``selector`` selects the gateway's Envoy by label (``istio: ingressgateway``)."""

    selector: Labels = {}
    servers: Annotated[list[GatewayServer], Field(min_length=1)]
