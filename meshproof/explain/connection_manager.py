"""HTTP connection managers: virtual host, route, filters and route action of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from meshproof.explain import (
    descriptions,
    http_filters,
    matching,
    redirects,
    rewriting,
    virtual_hosts,
)
from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.downstream import PROTO, prepare_request
from meshproof.explain.origin import Locate, RuleOrigin, route_origin
from meshproof.explain.proxies import Address, Proxy
from meshproof.explain.request import Request
from meshproof.explain.result import MESH, Outcome, Step
from meshproof.explain.route_notes import configuration_of, header_notes, timeout_notes
from meshproof.explain.string_match import Json
from meshproof.istio_names import BLOCK_ALL, is_inbound


@dataclass(frozen=True, slots=True)
class Upstream:
    """A request that a route forwards to a cluster."""

    proxy: Proxy
    cluster: str
    action: Json
    request: Request
    tunnel: bool
    rule: RuleOrigin | None
    as_bytes: bool = False
    """It is a connection of a TCP listener: the mesh can only close it, not answer it."""
    protocols: tuple[str, ...] = ()
    """ALPN that the caller's sidecar offers instead of the cluster's."""
    address: Address | None = None
    """The original destination of a captured connection."""


Forward = Callable[[Upstream], tuple[Step, ...]]
"""What happens to a request that goes to a cluster: branches whose chances add up to 1."""


@dataclass(frozen=True, slots=True)
class ConnectionManager:
    """One connection manager of ``proxy``; ``at`` names it (``svca-1 outbound``)."""

    proxy: Proxy
    at: str
    config: Json
    locate: Locate
    now: float
    forward: Forward
    assume: Callable[[str], None]
    source: str
    """The caller, for messages."""

    def steps(self, request: Request, peer: Peer) -> tuple[Step, ...]:
        """What it does with a request: branches whose chances add up to 1."""
        prepared = prepare_request(self.config, request, peer)
        table = self._route_table()
        chosen = virtual_hosts.find_virtual_host(table, prepared.authority)
        if chosen is None:
            reason = f"{self.at} knows no host {prepared.authority}"
            return (self._end(1.0, reason, Outcome(MESH, reason, 404)),)
        host = chosen.host
        if host.get("require_tls") == "ALL" and prepared.get(PROTO) != "https":
            return (self._redirect_to_tls(host, prepared),)
        matches = matching.match_routes(host.get("routes", ()), prepared)
        levels = (host, table)
        steps = (self._route_step(t, levels, prepared, peer) for t in matches if t.chance > 0)
        if is_inbound(host["name"]) or host["name"].startswith(BLOCK_ALL):
            return tuple(steps)
        note = f"virtual host {host['name']}, by its domain {chosen.domain}"
        return tuple(step.with_notes((note,)) for step in steps)

    def _route_table(self) -> Json:
        if "rds" in self.config:
            name = self.config["rds"]["route_config_name"]
            return self.proxy.routes.get(name, {"name": name})
        table: Json = self.config.get("route_config", {})
        return table

    def _redirect_to_tls(self, host: Json, request: Request) -> Step:
        location = redirects.redirect_location({"https_redirect": True}, {}, request)
        reason = f"{host['name']} takes https alone (httpsRedirect)"
        return self._end(1.0, reason, Outcome(MESH, reason, 301, location=location))

    def _end(self, chance: float, says: str, outcome: Outcome) -> Step:
        return Step(chance, self.at, says, outcome.rule, outcome=outcome)

    def _route_step(
        self, match: matching.RouteMatch, levels: Sequence[Json], request: Request, peer: Peer
    ) -> Step:
        host = levels[0]
        skipped = tuple((self._describe_route(p.route, host), p.why) for p in match.skipped)
        if match.route is None:
            reason = f"no route of host {host['name']} takes the request"
            return replace(
                self._end(match.chance, reason, Outcome(MESH, reason, 404)), skipped=skipped
            )
        rule = route_origin(match.route)
        rule = self.locate(rule) if rule else None
        chosen = _ChosenRoute(self, match.route, rule, (match.route, *levels), request, peer)
        return replace(chosen.step(), chance=match.chance, skipped=skipped)

    def _describe_route(self, route: Json, host: Json) -> str:
        rule = route_origin(route)
        if rule is not None:
            return str(self.locate(rule))
        return descriptions.describe_route(route, host["name"])

    def route_name(self, route: Json, host: Json) -> str:
        """The rule of a route; empty for an inbound route, which has none."""
        inbound = is_inbound(host["name"])
        return "" if inbound else self._describe_route(route, host)


@dataclass(frozen=True, slots=True)
class _ChosenRoute:
    """A route that has been chosen."""

    manager: ConnectionManager
    route: Json
    rule: RuleOrigin | None
    levels: tuple[Json, ...]
    """The route, its virtual host, its table."""
    request: Request
    peer: Peer

    def step(self) -> Step:
        """The filters first, then the route's action for requests that pass them."""
        notes, policies, replies, remaining, authz = self._run_filters()
        actions = self._act(authz.request or self.request) if remaining > 0 else ()
        branches = (*replies, *(replace(a, chance=a.chance * remaining) for a in actions))
        description = self.manager.route_name(self.route, self.levels[1])
        at = self.manager.at
        if len(branches) == 1 and branches[0].outcome is not None and not branches[0].at:
            single = branches[0]
            text = f"{description}: {single.text}" if description else single.text
            return replace(
                single,
                at=at,
                text=text,
                rule=self.rule or single.rule,
                notes=(*notes, *single.notes),
                envoy={
                    **configuration_of(self.route, self.levels, self.manager.config),
                    **single.envoy,
                },
                policies=policies,
            )
        return Step(
            1.0,
            at,
            description or "to the app",
            self.rule,
            (*notes, *self._notes()),
            (),
            branches,
            envoy=configuration_of(self.route, self.levels, self.manager.config),
            policies=policies,
        )

    def _run_filters(
        self,
    ) -> tuple[list[str], tuple[RuleOrigin, ...], list[Step], float, AuthzRequest]:
        manager = self.manager
        authz = AuthzRequest(
            self.peer,
            self.request,
            trusted_proxies=self.manager.config.get("xff_num_trusted_hops", 0),
        )
        context = http_filters.FilterContext(self.rule, manager.locate, manager.now)
        notes: list[str] = []
        policies: tuple[RuleOrigin, ...] = ()
        replies: list[Step] = []
        remaining = 1.0
        for entry in manager.config.get("http_filters", ()):
            config = entry.get("typed_config", {})
            if config.get("@type", "").endswith(".router.v3.Router"):
                continue
            route_config = http_filters.nearest_config(self.levels, entry["name"])
            result = http_filters.run_filter(entry["name"], config, route_config, authz, context)
            notes += result.notes
            for chance, outcome in result.local_replies:
                description = f"{outcome.status}: {outcome.why}"
                reply = replace(outcome, why=f"{outcome.why} at {manager.at}")
                replies.append(
                    Step(remaining * chance, "", description, outcome.rule, outcome=reply)
                )
            remaining *= 1 - sum(chance for chance, _ in result.local_replies)
            for text in result.assumptions:
                manager.assume(text)
            policies += result.policies
            authz = replace(
                authz,
                metadata={**authz.metadata, **result.metadata},
                request=result.request or authz.request,
            )
            if remaining <= 0:
                break
        return notes, policies, replies, remaining, authz

    def _act(self, request: Request) -> tuple[Step, ...]:
        if "direct_response" in self.route:
            return (self._respond_directly(self.route["direct_response"], request),)
        if "redirect" in self.route:
            rule = self.route["redirect"]
            target = redirects.redirect_location(rule, self.route["match"], request)
            status = redirects.redirect_code(rule)
            outcome = Outcome(MESH, f"redirected to {target}", status, self.rule, location=target)
            return (Step(1.0, "", f"{status}, Location {target}", self.rule, outcome=outcome),)
        return tuple(self._forward(request))

    def _respond_directly(self, response: Json, request: Request) -> Step:
        status = response["status"]
        body = response.get("body", {}).get("inline_string", "")
        reason = "answered directly"
        if self.route.get("name") == BLOCK_ALL and self.rule is None:
            reason = descriptions.describe_refused_host(request.target, self.manager.source)
            if alternatives := virtual_hosts.domains_with_other_port(
                self.levels[2], request.authority
            ):
                reason += f"; known here: {', '.join(alternatives)}"
        outcome = Outcome(MESH, reason, status, self.rule, body=body)
        return Step(1.0, "", f"{status}, {reason}", self.rule, outcome=outcome)

    def _forward(self, request: Request) -> Iterator[Step]:
        action = self.route["route"]
        weighted = action.get("weighted_clusters", {}).get("clusters")
        if weighted is None:
            yield from self._forward_to(action["cluster"], (), request)
            return
        total = sum(entry.get("weight", 0) for entry in weighted)
        if not total:
            reason = "no destination of it has a weight"
            yield Step(1.0, "", reason, self.rule, outcome=Outcome(MESH, reason, 503, self.rule))
            return
        for entry in weighted:
            if share := entry.get("weight", 0) / total:
                target = descriptions.describe_cluster(entry["name"])
                steps = tuple(self._forward_to(entry["name"], (entry,), request))
                description = f"{target} (weight {entry['weight']} of {total})"
                yield Step(share, "", description, branches=steps)

    def _forward_to(
        self, cluster: str, narrower: tuple[Json, ...], request: Request
    ) -> Iterator[Step]:
        action = self.route["route"]
        levels = (*narrower, *self.levels)
        forwarded = rewriting.rewrite_request(request, levels, action, self.route["match"])
        if not _hides_debug_headers(self.manager.config):
            forwarded = rewriting.with_originals(request, forwarded, levels, action)
        upgrades = action.get("upgrade_configs", ())
        tunnel = request.is_connect and any("connect_config" in u for u in upgrades)
        to = Upstream(self.manager.proxy, cluster, action, forwarded, tunnel, self.rule)
        yield from self.manager.forward(replace(to, address=self.peer.destination))

    def _notes(self) -> Iterator[str]:
        action = self.route.get("route")
        if action is None:
            return
        if "cluster" in action and not is_inbound(action["cluster"]):
            yield f"to {descriptions.describe_cluster(action['cluster'])}"
        yield from timeout_notes(action)
        for mirror in action.get("request_mirror_policies", ()):
            share = matching.fraction(mirror.get("runtime_fraction", {}).get("default_value"))
            target = descriptions.describe_cluster(mirror["cluster"])
            yield f"{100 * share:g} % of calls are mirrored to {target}"
        if rewriting.rewrites_path_or_host(action):
            levels, match = self.levels, self.route["match"]
            forwarded = rewriting.rewrite_request(self.request, levels, action, match)
            yield f"rewritten to {forwarded}"
        yield from header_notes(self.levels)


def _hides_debug_headers(config: Json) -> bool:
    """Whether the router keeps Envoy's own headers from the next hop."""
    filters = config.get("http_filters", ())
    return any(f.get("typed_config", {}).get("suppress_envoy_headers") for f in filters)
