"""The typed model of a case file: requests, and what must become of each."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model

PERCENT = 0.01
"""How far a split may be from 100 percent: a third has no last digit."""
NONE = "none"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def parse_seconds(text: str) -> float:
    """``1.5s``, ``100ms``, ``1m30s`` in seconds; ``none`` is 0. Raises ValueError."""
    if text == NONE:
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'is "{text}"; wanted a duration such as 1.5s, 100ms or none')
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _check_duration(text: str) -> str:
    parse_seconds(text)
    return text


def _check_url(text: str | list[str]) -> str | list[str]:
    for url in [text] if isinstance(text, str) else text:
        if not re.match(r"https?://[^/]", url):
            raise ValueError(f'"{url}" is not a URL; wanted one such as http://cart/show')
    return text


def _check_status(status: int) -> int:
    if not 200 <= status <= 599:
        raise ValueError("is not a status; wanted a number from 200 to 599")
    return status


Duration = Annotated[str, AfterValidator(_check_duration)]
Status = Annotated[int, AfterValidator(_check_status)]
Percent = Annotated[float, Field(ge=0, le=100)]
Texts = str | list[str]


class Token(Model):
    """A JSON web token that is signed when the case is judged. ``key`` is a file with a private
    key (PEM), relative to the case file."""

    key: str
    claims: dict[str, Any] = Field(default_factory=dict)
    algorithm: str = "RS256"
    header: dict[str, str] = Field(default_factory=dict)
    expires: int = 3600
    """Seconds from now until it expires; with less than 0 it has expired."""


class Request(Model):
    """What is sent. Lists stand for one request each, in every combination."""

    sender: Annotated[Texts | None, Field(alias="from")] = None
    """A workload (``NAME`` or ``NAMESPACE/NAME``), ``gateway`` (the ingress gateway's), or another
    gateway's name."""
    url: Annotated[Texts | None, AfterValidator(lambda v: v if v is None else _check_url(v))] = None
    method: Texts = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    token: str | Token | None = None
    """Sent as ``Authorization: Bearer``."""


class Mirror(Model):
    """A copy of the request that somebody else gets."""

    workload: str
    version: str | None = None
    percent: Percent = 100.0


class Retries(Model):
    """How often a failed request is sent again."""

    attempts: Annotated[int, Field(ge=0)]
    per_try_timeout: Duration | None = None
    retry_on: list[str] | None = None


class Delay(Model):
    """A delay that a fault injects."""

    fixed: Duration
    percent: Percent = 100.0


class EnvoyExpectation(Model):
    """Parts of Envoy's configuration, for what no other field names. Each must contain what is
    written here; lists are compared whole."""

    route: dict[str, Any] = Field(default_factory=dict)
    """Of the caller's route that takes the request."""
    cluster: dict[str, Any] = Field(default_factory=dict)
    """Of each cluster that the caller's route sends it to."""
    filters: dict[str, dict[str, Any] | None] = Field(default_factory=dict)
    """HTTP filters by name, at the Envoy of whoever answers; null for one that is not there."""


class Expect(Model):
    """What must become of every such request; at least one field."""

    workload: str | None = None
    """Who answers: ``NAME`` (a Deployment's, or an ``app`` label) or ``NAMESPACE/NAME``."""
    version: str | None = None
    """Its label ``version``."""
    outside: str | None = None
    """The host outside the mesh that answers."""
    status: Status | None = None
    """Of the answer that the mesh itself gives."""
    refused_by: str | None = None
    """The rule that refuses it: ``AuthorizationPolicy``, or ``AuthorizationPolicy shop/cart``."""
    redirect: str | None = None
    """The Location that the mesh answers with."""
    host: str | None = None
    """As the request arrives, after rewriting."""
    path: str | None = None
    """As the request arrives; without a query here, the request's is not compared."""
    headers: dict[str, str | None] = Field(default_factory=dict)
    """As the request arrives; null for a header that must not."""
    timeout: Duration | None = None
    """After which the caller's sidecar answers 504; ``none``: it waits."""
    retries: int | Retries | None = None
    """How often the caller's sidecar sends a failed request again; 0: never."""
    mirror: str | Mirror | list[Mirror] | None = None
    """``cart v2``, with a percentage, several, or ``none``."""
    delay: str | Delay | None = None
    """Of an injected fault: ``50ms``, with a percentage, or ``none``."""
    split: dict[str, Percent] | None = None
    """Shares in percent. Keys are versions of ``workload``, else ``WORKLOAD``, ``WORKLOAD
    VERSION``, a status, or a host outside."""
    tolerance: Percent | None = None
    """Points by which a share may differ; 0 by default."""
    allowed: bool | None = None
    """Whether an app or a host outside gets it."""
    not_reached: Texts | None = None
    """Workloads and hosts outside that must not get it, not even a mirrored copy."""
    rule: str | None = None
    """The rule that decides on the way: ``VirtualService shop/cart``."""
    envoy: EnvoyExpectation | None = None
    """Parts of Envoy's configuration, for what no other field names."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expects nothing; wanted at least one field, such as workload")
        self._check_answer()
        self._check_shares()
        return self

    def _check_answer(self) -> None:
        """Fields that no one request can have together."""
        passed = [n for n in _PASSED if getattr(self, n) not in (None, {})]
        refused = [n for n in _REFUSED if getattr(self, n) is not None]
        passed += ["allowed"] if self.allowed else []
        refused += ["allowed"] if self.allowed is False else []
        if passed and refused:
            raise FieldError(
                f"is impossible beside {_alias(passed[0])}: the mesh answers such a request "
                "itself, and nobody else gets it; wanted one of the two",
                _alias(refused[0]),
            )
        if self.workload and self.outside:
            raise FieldError("is impossible beside workload; wanted one of the two", "outside")
        if self.redirect and self.status and not 300 <= self.status < 400:
            raise FieldError("is impossible beside redirect; wanted 301 to 308", "status")
        if self.version and not self.workload:
            raise FieldError("is of no workload; wanted workload as well", "version")

    def _check_shares(self) -> None:
        if self.tolerance is not None and self.split is None:
            raise FieldError("is for a split, and there is none; wanted split", "tolerance")
        if self.split is None:
            return
        for name in ("version", "outside", "status", "redirect", "refused_by", "allowed"):
            if getattr(self, name) is not None:
                raise FieldError(
                    f"is impossible beside {_alias(name)}: shares say who answers; "
                    "wanted one of the two",
                    "split",
                )
        total = sum(self.split.values())
        if abs(total - 100) > PERCENT:
            raise FieldError(f"has shares of {total:g} percent; wanted 100", "split")


_PASSED = ("workload", "outside", "host", "path", "headers")
_REFUSED = ("status", "refused_by", "redirect")


def _alias(name: str) -> str:
    return Expect.model_fields[name].alias or name


class Case(Model):
    """One expectation. Each row of ``table`` fills in ``${column}``, and is a case of its own."""

    name: str
    request: Request = Field(default_factory=Request)
    expect: Expect
    table: list[dict[str, Any]] | None = None


class Defaults(Model):
    """What cases leave out."""

    request: Request = Field(default_factory=Request)


class CaseFile(Model):
    """The whole file; ``cases`` are validated one by one."""

    manifests: list[str] | None = None
    """What the rules are on top of, relative to this file; by default the project's manifests."""
    rules: list[str] | None = None
    """Files of rules, relative to this file; by default the file of the same stem beside it."""
    namespace: str = ""
    """For rules that name none."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values of ``${name}``; ``--set name=value`` replaces one."""
    defaults: Defaults = Field(default_factory=Defaults)
    cases: Annotated[list[Any], Field(min_length=1)]
