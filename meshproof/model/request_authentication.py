"""security.istio.io/v1 RequestAuthentication (v1beta1 has the same fields)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from meshproof.model.base_model import Model
from meshproof.model.durations import Duration
from meshproof.model.jwks import KeySource, check_jwks, check_jwks_uri
from meshproof.model.string_types import NonEmpty
from meshproof.model.workload_selector import WorkloadPolicy


class JWTHeader(Model):
    name: NonEmpty
    prefix: str | None = None


class ClaimToHeader(Model):
    header: NonEmpty
    claim: NonEmpty


class JWTRule(Model):
    """The keys are in ``jwks``; or the mesh fetches them from a declared outside host, which is
    that of ``jwksUri`` or, without one, what the issuer's OpenID configuration names."""

    issuer: str = ""
    audiences: list[NonEmpty] = []
    jwks: Annotated[str, AfterValidator(check_jwks)] | None = None
    jwks_uri: Annotated[str, AfterValidator(check_jwks_uri)] | None = None
    from_headers: list[JWTHeader] = []
    from_params: list[NonEmpty] = []
    from_cookies: list[NonEmpty] = []
    output_payload_to_header: NonEmpty | None = None
    output_claim_to_headers: list[ClaimToHeader] = []
    forward_original_token: bool = False
    space_delimited_claims: list[NonEmpty] = []
    timeout: Duration | None = None
    """For fetching keys."""

    @model_validator(mode="after")
    def _keys(self) -> Self:
        if not self.issuer and not self.jwks_uri:
            raise ValueError("has neither issuer nor jwksUri; wanted one of them")
        return self

    @property
    def key_source(self) -> KeySource | None:
        """Who is asked for the keys; None where the rule has them."""
        return None if self.jwks else KeySource(self.issuer, self.jwks_uri or "")


class RequestAuthentication(WorkloadPolicy):
    jwt_rules: list[JWTRule] = []
