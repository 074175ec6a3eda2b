"""networking.istio.io EnvoyFilter in the form of a local rate limit; in general, see
``envoy_filter_patches``.

It is the form of Istio's task "Enabling Rate Limits using Envoy", local part: the filter is
inserted before all others of a sidecar's inbound chain (or of a gateway), with a token bucket, or
with none and a bucket for each ``inbound|http|PORT``. Such a limit becomes part of the routes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, model_validator

from meshproof.istio_names import inbound_virtual_host_port
from meshproof.model.base_model import FieldError, Model
from meshproof.model.envoy_filter_patches import AnyEnvoyFilter, GeneralEnvoyFilter
from meshproof.model.envoy_filter_rate_limit import (
    FILTER,
    EnvoyModel,
    LocalRateLimit,
    TypedConfig,
)

Context = Literal["SIDECAR_INBOUND", "GATEWAY"]


def _inbound_port(name: str) -> str:
    if inbound_virtual_host_port(name) is None:
        raise ValueError(f'"{name}" is not taken; wanted inbound|http|PORT with a Service\'s port')
    return name


class NetworkFilter(Model):
    name: Literal["envoy.filters.network.http_connection_manager"]


class FilterChain(Model):
    filter: NetworkFilter


class Listener(Model):
    filter_chain: FilterChain


class Route(Model):
    action: Literal["ANY"] = "ANY"


class VirtualHost(Model):
    name: Annotated[str, AfterValidator(_inbound_port)]
    route: Route | None = None


class RouteConfiguration(Model):
    vhost: VirtualHost


class Match(Model):
    context: Context
    listener: Listener | None = None
    route_configuration: RouteConfiguration | None = None


class PerFilterConfig(EnvoyModel):
    local: Annotated[TypedConfig, Field(alias="envoy.filters.http.local_ratelimit")]


class Value(EnvoyModel):
    """An HTTP filter has ``name`` and ``typed_config``, a route ``typed_per_filter_config``."""

    name: Literal["envoy.filters.http.local_ratelimit"] | None = None
    typed_config: TypedConfig | None = None
    typed_per_filter_config: PerFilterConfig | None = None


class Patch(Model):
    operation: Literal["INSERT_BEFORE", "MERGE"]
    value: Value


class ConfigPatch(Model):
    apply_to: Literal["HTTP_FILTER", "HTTP_ROUTE"]
    match: Match
    patch: Patch

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if self.apply_to == "HTTP_FILTER":
            self._filter()
        else:
            self._route()
        return self

    def _filter(self) -> None:
        self._wants("INSERT_BEFORE", "listener", "routeConfiguration")
        value, at = self.patch.value, ("patch", "value")
        if value.typed_per_filter_config is not None:
            _refuse("is for applyTo HTTP_ROUTE; wanted name and typed_config", *at,
                    "typed_per_filter_config")  # fmt: skip
        if value.name is None or value.typed_config is None:
            _refuse("is not an HTTP filter; wanted name and typed_config", *at)

    def _route(self) -> None:
        self._wants("MERGE", "routeConfiguration", "listener")
        value, at = self.patch.value, ("patch", "value")
        if self.match.context == "GATEWAY":
            _refuse(
                "is GATEWAY, whose routes are not patched here; wanted SIDECAR_INBOUND, or the "
                "bucket in an HTTP_FILTER of context GATEWAY",
                *("match", "context"),
            )
        if value.name is not None or value.typed_config is not None:
            _refuse("has name or typed_config, which are for applyTo HTTP_FILTER; wanted "
                    "typed_per_filter_config alone", *at)  # fmt: skip
        if value.typed_per_filter_config is None:
            _refuse("is missing; wanted the limit of these routes", *at, "typed_per_filter_config")
        elif value.typed_per_filter_config.local.limit.token_bucket is None:
            _refuse("has no token_bucket, without which Envoy takes no limit of a route; wanted "
                    "one", *at, "typed_per_filter_config")  # fmt: skip

    def _wants(self, operation: str, match: str, other: str) -> None:
        if self.patch.operation != operation:
            _refuse(
                f"is {self.patch.operation} with applyTo {self.apply_to}; wanted {operation}",
                *("patch", "operation"),
            )
        present = {
            "listener": self.match.listener is not None,
            "routeConfiguration": self.match.route_configuration is not None,
        }
        if not present[match]:
            _refuse(f"is missing with applyTo {self.apply_to}; wanted a mapping", "match", match)
        if present[other]:
            _refuse(f"is not for applyTo {self.apply_to}; wanted {match} alone", "match", other)

    @property
    def limit(self) -> LocalRateLimit:
        """The limit of the filter or of the routes."""
        value = self.patch.value
        routes = value.typed_per_filter_config
        config = routes.local if routes is not None else value.typed_config
        assert config is not None, "the shape was checked"
        return config.limit

    @property
    def routes(self) -> str:
        """``inbound|http|PORT``; empty for the filter itself."""
        configuration = self.match.route_configuration
        return configuration.vhost.name if configuration is not None else ""


def _refuse(message: str, *path: str | int) -> None:
    raise FieldError(message, *path)


def _is_rate_limit(spec: Any) -> bool:
    """Whether every patch is one of the rate-limit task's, right or wrong."""
    patches = spec.get("configPatches") if isinstance(spec, dict) else None
    if isinstance(spec, dict) and spec.get("targetRefs"):
        return False
    return not patches or (isinstance(patches, list) and all(map(_limits_requests, patches)))


def _limits_requests(patch: Any) -> bool:
    if not isinstance(patch, dict):
        return True
    match, change = patch.get("match"), patch.get("patch")
    if not isinstance(match, dict) or not isinstance(change, dict):
        return False
    value, listener = change.get("value"), match.get("listener")
    routes = value.get("typed_per_filter_config") if isinstance(value, dict) else None
    filters = {*(routes or {}), value.get("name")} if isinstance(value, dict) else set()
    return (
        FILTER in filters
        and patch.get("applyTo") in ("HTTP_FILTER", "HTTP_ROUTE")
        and match.get("context") in ("SIDECAR_INBOUND", "GATEWAY")
        and change.get("operation") in ("INSERT_BEFORE", "MERGE")
        and (listener is None or _is_plain(listener))
    )


def _is_plain(listener: Any) -> bool:
    chain = listener.get("filterChain") if isinstance(listener, dict) else None
    network_filter = chain.get("filter") if isinstance(chain, dict) else None
    return (
        set(listener) == {"filterChain"}
        and set(chain or {}) == {"filter"}
        and set(network_filter or {}) == {"name"}
    )


class EnvoyFilter(AnyEnvoyFilter):
    """With one limit, ``priority`` has nothing to order."""

    config_patches: Annotated[list[ConfigPatch], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_filter_a_context(self) -> Self:
        limits: set[tuple[str, str]] = set()
        filters = {p.match.context for p in self.config_patches if not p.routes}
        for index, patch in enumerate(self.config_patches):
            key = (patch.match.context, patch.routes)
            if key in limits:
                target = f"{patch.routes or 'the filter'} of {patch.match.context}"
                _refuse(f"is a second limit for {target}; wanted one", "configPatches", index)
            if patch.routes and patch.match.context not in filters:
                _refuse(
                    "is for a filter that nothing inserts; wanted an HTTP_FILTER patch beside it, "
                    "with stat_prefix alone",
                    *("configPatches", index),
                )
            limits.add(key)
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _choose(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        """Anything beyond the rate-limit task is a ``GeneralEnvoyFilter``. It is the outermost
        validator, hence the last: the others are about limits."""
        if _is_rate_limit(data):
            return handler(data)
        return GeneralEnvoyFilter.model_validate(data)

    def contexts(self) -> frozenset[Context]:
        return frozenset(patch.match.context for patch in self.config_patches)
