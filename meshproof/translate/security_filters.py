"""Security filters of a proxy: its AuthorizationPolicies, RequestAuthentications and WasmPlugins,
for its listeners and routes."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.model.request_authentication import JWTRule
from meshproof.translate import ext_authz, jwt, rbac
from meshproof.translate.authz_conditions import AuthzContext
from meshproof.translate.proto import Json
from meshproof.translate.provider_hosts import Providers, providers_of
from meshproof.translate.telemetry_metrics import Side
from meshproof.translate.wasm_plugins import NO_PLUGINS, Plugins, select_plugins
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Named, Proxy, Replica, World


@dataclass(frozen=True, slots=True)
class SecurityFilters:
    """Of one workload, or of a gateway."""

    policies: tuple[Named[AuthorizationPolicy], ...]
    tokens: tuple[JWTRule, ...]
    providers: Providers
    plugins: Plugins = NO_PLUGINS

    def http_filters(self, port: int, *, rerouting: bool = False) -> list[Json]:
        """The filters of a port's connection managers, in Istio's order; the rules of all but
        CUSTOM are part of the routes. ``rerouting``: Envoy chooses the route again once it knows a
        token's claims."""
        return [
            *ext_authz.build_http_filters(self.policies, AuthzContext(port), self.providers),
            *self.plugins.http_filters(port, "AUTHN"),
            *jwt.build_http_filters(self.tokens, rerouting=rerouting),
            *self.plugins.http_filters(port, "AUTHZ"),
            *rbac.build_http_filters(),
            *self.plugins.http_filters(port, "STATS", "UNSPECIFIED_PHASE"),
        ]

    def network_filters(self, port: int) -> list[Json]:
        """Of a TCP port, where tokens do not apply."""
        context = AuthzContext(port, tcp=True)
        return [
            *ext_authz.build_network_filters(self.policies, context, self.providers),
            *self.plugins.network_filters(port, "AUTHN", "AUTHZ"),
            *rbac.build_network_filters(self.policies, context),
            *self.plugins.network_filters(port, "STATS", "UNSPECIFIED_PHASE"),
        ]

    def is_active(self) -> bool:
        """Whether any rule applies."""
        return bool(self.policies or self.tokens)

    def route_table_name(self, name: str) -> str:
        """The name of the RouteConfiguration for a listener with these filters."""
        return jwt.route_table_name(name, self.tokens)

    def apply_to_routes(self, table: Json, port: int) -> Json:
        """``table`` with the rules, for all its routes."""
        rules = {
            **jwt.build_route_config(self.tokens),
            **rbac.build_route_config(self.policies, AuthzContext(port)),
        }
        return {**table, "typed_per_filter_config": rules} if rules else table


def select_security_filters(
    world: World, proxy: Proxy | Replica, side: Side = "SERVER"
) -> SecurityFilters:
    namespace, labels = proxy.namespace, proxy.labels
    authentications = select_policies(world.request_authentications, namespace, labels)
    tokens = jwt.collect_rules(authentications, world.token_keys)
    policies = tuple(select_policies(world.authorization_policies, namespace, labels))
    plugins = select_plugins(world, proxy, side)
    return SecurityFilters(policies, tokens, providers_of(world), plugins)
