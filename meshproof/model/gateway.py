"""networking.istio.io/v1 Gateway: what meshproof honours. What Istio's webhook asks of the fields
together is in ``validation.gateway``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from meshproof.model.base_model import Model, PartlyHonoured
from meshproof.model.field_types import Labels, Port, upper_case
from meshproof.model.kube_fields import NoEffect
from meshproof.model.string_types import GatewayHost, Line, NonEmpty

Protocol = Literal[
    "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL"
]
"""REDIS and MYSQL are TCP: Istio's filters for them are off by default."""
Mode = Literal[
    "PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"
]
Version = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]
PASSTHROUGH = ("PASSTHROUGH", "AUTO_PASSTHROUGH")


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
    ca_crl: NonEmpty | None = None
    """A file of certificates that the authorities have revoked."""
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


class GatewayServer(Model):
    port: GatewayServerPort
    bind: Annotated[Literal["", "0.0.0.0", "::"], PartlyHonoured()] = ""  # noqa: S104  (not bound)
    """Every address of the gateway, as without it."""
    hosts: Annotated[list[GatewayHost], Field(min_length=1)]
    name: Line | None = None
    tls: ServerTLSSettings | None = None
    default_endpoint: Annotated[object, NoEffect("Istio reads it nowhere")] = None

    @property
    def terminated(self) -> ServerTLSSettings | None:
        """How TLS is terminated; None where it is not."""
        if self.tls is None or not self.port.speaks_tls or self.tls.passes_through:
            return None
        return self.tls

    @property
    def terminates_https(self) -> bool:
        return self.port.protocol == "HTTPS" and self.terminated is not None


class Gateway(Model):
    """``selector`` selects the gateway's Envoy by label (``istio: ingressgateway``)."""

    selector: Labels = {}
    servers: Annotated[list[GatewayServer], Field(min_length=1)]
