"""Who may ask a proxy for what, and how often: its AuthorizationPolicies, RequestAuthentications
and local rate limits, ready to be put into listeners and routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.model.envoy_filter import Context
from meshproof.model.request_authentication import JWTRule
from meshproof.translate import jwt, local_rate_limit, rbac
from meshproof.translate.authz_conditions import AuthzContext
from meshproof.translate.local_rate_limit import Limits
from meshproof.translate.proto import Json
from meshproof.translate.workload_selection import selecting
from meshproof.translate.world import Named, World


@dataclass(frozen=True, slots=True)
class SecurityFilters:
    """Of one workload, or of a gateway."""

    policies: tuple[Named[AuthorizationPolicy], ...]
    tokens: tuple[JWTRule, ...]
    limits: Limits
    _world: World

    def http_filters(self, *, rerouting: bool = False) -> list[Json]:
        """What the connection manager has in any case, in Istio's order; rules come with routes.
        ``rerouting``: a route is chosen again once a token's claims are known."""
        tokens = jwt.http_filters(self.tokens, rerouting=rerouting)
        return [*local_rate_limit.http_filters(), *tokens, *rbac.http_filters()]

    def network_filters(self, port: int) -> list[Json]:
        """Of a port of bytes; tokens mean nothing there."""
        return rbac.network_filters(self.policies, AuthzContext(port, tcp=True))

    def ask(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.policies or self.tokens) or self.limits.ask()

    def table(self, name: str) -> str:
        """The name of the RouteConfiguration that goes with these filters."""
        return jwt.table(name, self.tokens)

    def on_routes(self, table: Json, port: int) -> Json:
        """``table`` with the rules for all its routes."""
        table = self.limits.on_routes(table)
        rules = {
            **local_rate_limit.per_route(self.limits.everywhere),
            **jwt.per_route(self.tokens),
            **rbac.per_route(self.policies, AuthzContext(port)),
        }
        return {**table, "typed_per_filter_config": rules} if rules else table

    def clusters(self) -> Iterator[Json]:
        """Through which keys are fetched."""
        return jwt.clusters(self.tokens, self._world.outside)


def security_filters(
    world: World,
    namespace: str,
    labels: Mapping[str, str],
    context: Context = "SIDECAR_INBOUND",
) -> SecurityFilters:
    tokens = jwt.rules_of(selecting(world.request_authentications, namespace, labels))
    policies = tuple(selecting(world.authorization_policies, namespace, labels))
    filters = selecting(world.envoy_filters, namespace, labels)
    return SecurityFilters(policies, tokens, local_rate_limit.limits(filters, context), world)
