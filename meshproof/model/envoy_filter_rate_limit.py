"""Envoy's LocalRateLimit, as Istio's task "Enabling Rate Limits using Envoy" writes it.

It is inside an EnvoyFilter, so keys are Envoy's own (``max_tokens``) and durations protobuf's.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.string_types import HeaderValue, check_header_name

FILTER = "envoy.filters.http.local_ratelimit"
LOCAL_RATE_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_SHORTEST = 0.05
_DURATION = re.compile(r"[0-9]+(\.[0-9]{1,9})?s")


class EnvoyModel(Model):
    """Keys are in Envoy's own spelling, snake_case."""

    model_config = ConfigDict(alias_generator=None)


def _interval(value: object) -> object:
    """Envoy reads these as protobuf's JSON: only seconds, and at least 50 ms."""
    if isinstance(value, float):  # already read
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        text = f'"{value}"' if isinstance(value, str) else repr(value)
        raise ValueError(
            f"{text} is not a duration of Envoy's; wanted a string such as 60s or 0.25s"
        )
    if float(value[:-1]) < _SHORTEST:
        raise ValueError(f'"{value}" is too short for Envoy; wanted at least 0.05s')
    return float(value[:-1])


def _settable(name: str) -> str:
    check_header_name(name)
    if name.startswith(":") or name.lower() == "host":
        raise ValueError(f'"{name}" may not be set; wanted the name of any other header')
    return name


Tokens = Annotated[int, Field(ge=1, le=4294967295)]


class TokenBucket(EnvoyModel):
    """Allows ``max_tokens`` requests at once, and ``tokens_per_fill`` more every ``fill_interval``
    (seconds)."""

    max_tokens: Tokens
    tokens_per_fill: Tokens = 1
    fill_interval: Annotated[float, BeforeValidator(_interval)]


class FractionalPercent(EnvoyModel):
    numerator: Annotated[int, Field(ge=0, le=4294967295)] = 0
    denominator: Literal["HUNDRED", "TEN_THOUSAND", "MILLION"] = "HUNDRED"


class RuntimeFraction(EnvoyModel):
    runtime_key: str = ""
    """Has no effect: these Envoys have no runtime that sets it."""
    default_value: FractionalPercent


class Header(EnvoyModel):
    key: Annotated[str, Field(min_length=1), AfterValidator(_settable)]
    value: HeaderValue = ""


class HeaderToAdd(EnvoyModel):
    header: Header
    append: bool = True


class Limit(EnvoyModel):
    """Without ``filter_enabled`` and ``filter_enforced`` nothing is limited, as in Envoy."""

    token_bucket: TokenBucket | None = None
    filter_enabled: RuntimeFraction | None = None
    filter_enforced: RuntimeFraction | None = None
    response_headers_to_add: Annotated[list[HeaderToAdd], Field(max_length=10)] = []
    local_rate_limit_per_downstream_connection: bool = False


class LocalRateLimit(Limit):
    stat_prefix: Annotated[str, Field(min_length=1)]


class TypedConfig(Limit):
    """Either a LocalRateLimit by its own type, or one inside a TypedStruct."""

    type: Annotated[
        Literal[
            "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "type.googleapis.com/udpa.type.v1.TypedStruct",
            "type.googleapis.com/xds.type.v3.TypedStruct",
        ],
        Field(alias="@type"),
    ]
    type_url: (
        Literal[
            "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
        ]
        | None
    ) = None
    value: LocalRateLimit | None = None
    stat_prefix: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        fields = self.model_fields_set - {"type"}
        if self.type.endswith("TypedStruct"):
            if self.type_url is None or self.value is None:
                raise ValueError("is a TypedStruct; wanted type_url and value")
            for name in sorted(fields - {"type_url", "value"}):
                raise FieldError("is beside the value of a TypedStruct; wanted it inside", name)
        else:
            for name in sorted(fields & {"type_url", "value"}):
                raise FieldError(
                    "is for a TypedStruct; wanted the fields of a LocalRateLimit", name
                )
            if self.stat_prefix is None:
                raise FieldError("is missing; wanted a string", "stat_prefix")
        return self

    @property
    def limit(self) -> LocalRateLimit:
        if self.value is not None:
            return self.value
        return LocalRateLimit.model_construct(
            **{name: getattr(self, name) for name in LocalRateLimit.model_fields}
        )
