"""A DestinationRule's ``tls``: how a sidecar connects to a host."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model, PartlyHonoured


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f'"{value}" is not an absolute path; wanted the file on this machine')
    return value


File = Annotated[str, AfterValidator(_absolute)]


class ClientTLSSettings(Model):
    """The sidecars read the files, and they run on this machine.

    Without ``caCertificates``, SIMPLE and MUTUAL trust the public certificate authorities, as those
    of Istio's image do.
    """

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: Annotated[File | None, PartlyHonoured()] = None
    private_key: Annotated[File | None, PartlyHonoured()] = None
    ca_certificates: Annotated[File | None, PartlyHonoured()] = None
    subject_alt_names: list[Annotated[str, Field(min_length=1)]] = []
    sni: str | None = None
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _files_of_the_mode(self) -> Self:
        pair = (self.client_certificate, self.private_key)
        if self.mode == "MUTUAL" and not all(pair):
            raise FieldError(
                "is MUTUAL without clientCertificate and privateKey; wanted both", "mode"
            )
        if self.mode in ("SIMPLE", "ISTIO_MUTUAL", "DISABLE") and any(pair):
            raise FieldError(
                f"is {self.mode} with a clientCertificate or privateKey; wanted MUTUAL", "mode"
            )
        return self
