"""security.istio.io/v1 AuthorizationPolicy (v1beta1 has the same fields).

Refused as by Istio's own validation (``pkg/config/validation``): a DENY without rules, a source or
operation without fields, a CUSTOM that is about identities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from meshproof.model.authorization_values import (
    check_attribute,
    check_cidr,
    check_condition_value,
    check_not_empty,
    check_path_template,
    check_service_account,
)
from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import PortText
from meshproof.model.string_types import NonEmpty
from meshproof.model.workload_selector import WorkloadPolicy

Cidr = Annotated[str, AfterValidator(check_cidr)]
Path = Annotated[str, Field(min_length=1), AfterValidator(check_path_template)]


class Source(Model):
    """Fields are ANDed, the values of one field ORed."""

    principals: list[NonEmpty] = []
    not_principals: list[NonEmpty] = []
    request_principals: list[NonEmpty] = []
    not_request_principals: list[NonEmpty] = []
    namespaces: list[NonEmpty] = []
    not_namespaces: list[NonEmpty] = []
    service_accounts: list[Annotated[str, AfterValidator(check_service_account)]] = []
    not_service_accounts: list[Annotated[str, AfterValidator(check_service_account)]] = []
    ip_blocks: list[Cidr] = []
    not_ip_blocks: list[Cidr] = []
    remote_ip_blocks: list[Cidr] = []
    not_remote_ip_blocks: list[Cidr] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        check_not_empty(self)
        accounts = self.service_accounts or self.not_service_accounts
        identities = self.principals, self.not_principals, self.namespaces, self.not_namespaces
        if accounts and any(identities):
            raise ValueError(
                "has serviceAccounts beside principals or namespaces; wanted one of them"
            )
        return self


class Operation(Model):
    hosts: list[NonEmpty] = []
    not_hosts: list[NonEmpty] = []
    ports: list[PortText] = []
    not_ports: list[PortText] = []
    methods: list[NonEmpty] = []
    not_methods: list[NonEmpty] = []
    paths: list[Path] = []
    not_paths: list[Path] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        check_not_empty(self)
        return self


class From(Model):
    source: Source


class To(Model):
    operation: Operation


class Condition(Model):
    key: Annotated[str, AfterValidator(check_attribute)]
    values: list[NonEmpty] = []
    not_values: list[NonEmpty] = []

    @model_validator(mode="after")
    def _values(self) -> Self:
        if not self.values and not self.not_values:
            raise ValueError("has neither values nor notValues; wanted one of them")
        for field, values in (("values", self.values), ("notValues", self.not_values)):
            for index, value in enumerate(values):
                try:
                    check_condition_value(self.key, value)
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


class Provider(Model):
    """One of MeshConfig's ``extensionProviders``."""

    name: str = ""


class AuthorizationPolicy(WorkloadPolicy):
    """With the action CUSTOM, a request that a rule matches is put to the provider's server."""

    action: Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"] = "ALLOW"
    rules: list[Rule] = []
    provider: Provider | None = None

    @model_validator(mode="after")
    def _a_denial_needs_rules(self) -> Self:
        if self.action in ("DENY", "CUSTOM") and "rules" not in self.model_fields_set:
            message = f"is {self.action} without rules, which Istio refuses; wanted rules"
            raise FieldError(message, "action")
        return self

    @model_validator(mode="after")
    def _custom(self) -> Self:
        if self.action != "CUSTOM":
            if self.provider is not None:
                message = f"is for the action CUSTOM, and this one is {self.action}"
                raise FieldError(message, "provider")
            return self
        if not (self.provider and self.provider.name):
            raise FieldError("is CUSTOM without provider.name, which Istio refuses", "action")
        for index, rule in enumerate(self.rules):
            if path := _identity_of(rule):
                message = "is not supported with the action CUSTOM, which Istio evaluates before"
                raise FieldError(f"{message} identities and tokens", "rules", index, *path)
        return self


_IDENTITIES = ("principals", "namespaces", "service_accounts", "request_principals")
_IDENTITY_KEYS = ("source.namespace", "source.serviceAccount", "source.principal")


def _identity_of(rule: Rule) -> tuple[str | int, ...]:
    """The first part of a rule that is about who the caller is, if there is one."""
    for index, source in enumerate(rule.sources()):
        for field in _IDENTITIES:
            for name in (field, f"not_{field}"):
                if getattr(source, name):
                    return ("from", index, "source", to_camel(name))
    for index, condition in enumerate(rule.when):
        if condition.key in _IDENTITY_KEYS or condition.key.startswith("request.auth."):
            return ("when", index, "key")
    return ()
