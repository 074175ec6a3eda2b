"""security.istio.io/v1 (v1beta1 has the same fields): what meshproof honours.

What Istio's own validation refuses is refused here (``pkg/config/validation``): a DENY without
rules, portLevelMtls without a selector, a source or operation that names nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model import security_checks as checks
from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import Duration
from meshproof.model.field_types import Labels

Text = Annotated[str, Field(min_length=1)]
Cidr = Annotated[str, AfterValidator(checks.cidr)]
PortText = Annotated[str, AfterValidator(checks.port_text)]
Path = Annotated[str, Field(min_length=1), AfterValidator(checks.path_template)]
Mode = Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]


class WorkloadSelector(Model):
    """An empty one selects every workload of the namespace."""

    match_labels: Labels = {}


class TargetReference(Model):
    """What a policy is attached to: a Service or ServiceEntry of a waypoint, a Gateway."""

    group: str = ""
    kind: Text
    name: Text
    namespace: Literal[""] | None = None
    """Istio takes none but the policy's own."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if (self.group, self.kind) not in _TARGETS:
            wanted = ", ".join(f"{kind} of {group or 'core'}" for group, kind in _TARGETS)
            raise FieldError(f'is "{self.kind}" of "{self.group}"; wanted {wanted}', "kind")
        return self


_TARGETS = (
    ("", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
)


class Selecting(Model):
    """A policy of workloads (``selector``, or all), or one that is attached to something else:
    sidecars and Istio's own gateways pass the latter over, and nothing else is here."""

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: list[TargetReference] = []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(map(bool, (self.selector is not None, self.target_ref, self.target_refs))) > 1:
            raise ValueError("has more than one of selector, targetRef, targetRefs; wanted one")
        return self

    @property
    def attached(self) -> bool:
        """Whether it is for something else than workloads."""
        return self.target_ref is not None or bool(self.target_refs)


class MutualTLS(Model):
    mode: Mode = "UNSET"


class PeerAuthentication(Model):
    selector: WorkloadSelector | None = None
    mtls: MutualTLS = MutualTLS()
    port_level_mtls: dict[PortText, MutualTLS] = {}
    """By container port."""

    @property
    def attached(self) -> bool:
        """Never: Istio's knows workloads alone."""
        return False

    @model_validator(mode="after")
    def _ports_of_a_workload(self) -> Self:
        if self.port_level_mtls and not (self.selector and self.selector.match_labels):
            raise FieldError(
                "is set, and there is no selector, which Istio refuses; wanted a selector",
                "portLevelMtls",
            )
        return self


class Source(Model):
    """Fields AND together, values of one field OR."""

    principals: list[Text] = []
    not_principals: list[Text] = []
    request_principals: list[Text] = []
    not_request_principals: list[Text] = []
    namespaces: list[Text] = []
    not_namespaces: list[Text] = []
    service_accounts: list[Annotated[str, AfterValidator(checks.service_account)]] = []
    not_service_accounts: list[Annotated[str, AfterValidator(checks.service_account)]] = []
    ip_blocks: list[Cidr] = []
    not_ip_blocks: list[Cidr] = []
    remote_ip_blocks: list[Cidr] = []
    not_remote_ip_blocks: list[Cidr] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        checks.not_empty(self)
        accounts = self.service_accounts or self.not_service_accounts
        others = self.principals, self.not_principals, self.namespaces, self.not_namespaces
        if accounts and any(others):
            raise ValueError(
                "has serviceAccounts beside principals or namespaces; wanted one of them"
            )
        return self


class Operation(Model):
    hosts: list[Text] = []
    not_hosts: list[Text] = []
    ports: list[PortText] = []
    not_ports: list[PortText] = []
    methods: list[Text] = []
    not_methods: list[Text] = []
    paths: list[Path] = []
    not_paths: list[Path] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        checks.not_empty(self)
        return self


class From(Model):
    source: Source


class To(Model):
    operation: Operation


class Condition(Model):
    key: Annotated[str, AfterValidator(checks.attribute)]
    values: list[Text] = []
    not_values: list[Text] = []

    @model_validator(mode="after")
    def _values(self) -> Self:
        if not self.values and not self.not_values:
            raise ValueError("has neither values nor notValues; wanted one of them")
        for field, values in (("values", self.values), ("notValues", self.not_values)):
            for index, value in enumerate(values):
                try:
                    checks.value_of(self.key, value)
                except ValueError as error:
                    raise FieldError(str(error), field, index) from None
        return self


class Rule(Model):
    from_: Annotated[list[From] | None, Field(alias="from", min_length=1)] = None
    to: Annotated[list[To], Field(min_length=1)] | None = None
    when: list[Condition] = []

    def sources(self) -> Iterator[Source]:
        return (entry.source for entry in self.from_ or ())

    def operations(self) -> Iterator[Operation]:
        return (entry.operation for entry in self.to or ())


class AuthorizationPolicy(Selecting):
    """CUSTOM, which asks an external server, is refused by name."""

    action: Literal["ALLOW", "DENY", "AUDIT"] = "ALLOW"
    rules: list[Rule] = []

    @model_validator(mode="after")
    def _a_denial_needs_rules(self) -> Self:
        if self.action == "DENY" and "rules" not in self.model_fields_set:
            raise FieldError("is DENY without rules, which Istio refuses; wanted rules", "action")
        return self


class JWTHeader(Model):
    name: Text
    prefix: str | None = None


class ClaimToHeader(Model):
    header: Text
    claim: Text


class JWTRule(Model):
    """The keys stand in ``jwks``, or are fetched from a declared outside host (``jwksUri``)."""

    issuer: Text
    audiences: list[Text] = []
    jwks: Annotated[str, AfterValidator(checks.jwks)] | None = None
    jwks_uri: Annotated[str, AfterValidator(checks.jwks_uri)] | None = None
    from_headers: list[JWTHeader] = []
    from_params: list[Text] = []
    from_cookies: list[Text] = []
    output_payload_to_header: Text | None = None
    output_claim_to_headers: list[ClaimToHeader] = []
    forward_original_token: bool = False
    space_delimited_claims: list[Text] = []
    timeout: Duration | None = None
    """Of fetching keys."""

    @model_validator(mode="after")
    def _keys(self) -> Self:
        if not self.jwks and not self.jwks_uri:
            raise ValueError(
                "has neither jwks nor jwksUri, and meshproof asks no issuer for its keys; "
                "wanted one of them"
            )
        return self


class RequestAuthentication(Selecting):
    jwt_rules: list[JWTRule] = []
