"""A DestinationRule's ``tls``: how a sidecar connects to a host."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model


def _absolute(value: str) -> str:
    """Istio's proxy works in its container's root."""
    return value if value.startswith("/") else f"/{value}"


File = Annotated[str, AfterValidator(_absolute)]


class ClientTLSSettings(Model):
    """The sidecars read the files, and they run on this machine; a gateway's files are those of its
    container first. ``credentialName`` is a Secret in the namespace of a gateway, or of a workload
    that the rule's workloadSelector selects; other sidecars then originate no TLS, as in Istio.

    Without ``caCertificates``, SIMPLE and MUTUAL trust the public certificate authorities, as those
    of Istio's image do.
    """

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: File | None = None
    private_key: File | None = None
    ca_certificates: File | None = None
    ca_crl: File | None = None
    """Certificates that the authorities have revoked."""
    credential_name: Annotated[str, Field(min_length=1)] | None = None
    subject_alt_names: list[Annotated[str, Field(min_length=1)]] = []
    sni: str | None = None
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _files_of_the_mode(self) -> Self:
        pair = (self.client_certificate, self.private_key)
        if self.credential_name and any((*pair, self.ca_certificates)):
            message = "is set beside clientCertificate, privateKey or caCertificates"
            raise FieldError(f"{message}; wanted one or the other", "credentialName")
        if self.mode == "MUTUAL" and not all(pair) and not self.credential_name:
            raise FieldError(
                "is MUTUAL without clientCertificate and privateKey; wanted both, or "
                "credentialName",
                "mode",
            )
        if self.mode in ("SIMPLE", "ISTIO_MUTUAL", "DISABLE") and any(pair):
            raise FieldError(
                f"is {self.mode} with a clientCertificate or privateKey; wanted MUTUAL", "mode"
            )
        return self
