"""A connection manager with one request: virtual host, route, filters, and what the route does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from meshproof.explain import descriptions, hosts, http_filters, matching, redirects, rewriting
from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.origin import Placed, RuleOrigin, of_route
from meshproof.explain.proxies import Proxy
from meshproof.explain.request import Request, normalized
from meshproof.explain.result import MESH, Outcome, Step
from meshproof.explain.string_match import Json
from meshproof.istio_names import is_inbound

_ID = "x-request-id"
_PROTO = "x-forwarded-proto"


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a route hands on to a cluster."""

    proxy: Proxy
    cluster: str
    action: Json
    request: Request
    tunnel: bool
    rule: RuleOrigin | None


Forward = Callable[[Upstream], tuple[Step, ...]]
"""What becomes of a request that goes to a cluster: branches whose chances add up to 1."""


@dataclass(frozen=True, slots=True)
class Manager:
    """One connection manager of ``proxy``; ``at`` names it (``svca-1 outbound``)."""

    proxy: Proxy
    at: str
    config: Json
    placed: Placed
    now: float
    onwards: Forward
    assume: Callable[[str], None]
    source: str
    """Who asks, for messages."""

    def steps(self, request: Request, peer: Peer) -> tuple[Step, ...]:
        """What it does with a request; chances add up to 1."""
        entered = self._entered(request, peer)
        table = self._table()
        chosen = hosts.virtual_host(table, entered.authority)
        if chosen is None:
            why = f"{self.at} knows no host {entered.authority}"
            return (self._end(1.0, why, Outcome(MESH, why, 404)),)
        host = chosen.host
        if host.get("require_tls") == "ALL" and entered.get(_PROTO) != "https":
            return (self._to_tls(host, entered),)
        tries = matching.taken(host.get("routes", ()), entered)
        levels = (host, table)
        steps = (self._taken(t, levels, entered, peer) for t in tries if t.chance > 0)
        if is_inbound(host["name"]) or host["name"].startswith("block_all"):
            return tuple(steps)
        note = f"virtual host {host['name']}, by its domain {chosen.domain}"
        return tuple(step.with_notes((note,)) for step in steps)

    def _entered(self, request: Request, peer: Peer) -> Request:
        """With what the manager itself puts in before it looks for a route."""
        made = request
        if self.config.get("normalize_path") and not made.is_connect:
            made = replace(made, path=normalized(made.path))
        if self.config.get("use_remote_address"):
            made = made.without(_PROTO)
            before = made.get("x-forwarded-for")
            chain = f"{before},{peer.source_ip}" if before else peer.source_ip
            made = made.without("x-forwarded-for").with_header("x-forwarded-for", chain)
        if made.get(_PROTO) is None:
            made = made.with_header(_PROTO, "https" if peer.tls else "http")
        return made if made.get(_ID) is not None else made.with_header(_ID, "a new one")

    def _table(self) -> Json:
        if "rds" in self.config:
            name = self.config["rds"]["route_config_name"]
            return self.proxy.routes.get(name, {"name": name})
        table: Json = self.config.get("route_config", {})
        return table

    def _to_tls(self, host: Json, request: Request) -> Step:
        leads = redirects.location({"https_redirect": True}, {}, request)
        why = f"{host['name']} takes https alone (httpsRedirect)"
        return self._end(1.0, why, Outcome(MESH, why, 301, location=leads))

    def _end(self, chance: float, says: str, outcome: Outcome) -> Step:
        return Step(chance, self.at, says, outcome.rule, outcome=outcome)

    def _taken(
        self, taken: matching.Taken, levels: Sequence[Json], request: Request, peer: Peer
    ) -> Step:
        host = levels[0]
        passed = tuple((self._named(p.route, host), p.why) for p in taken.passed)
        if taken.route is None:
            why = f"no route of host {host['name']} takes the request"
            return replace(self._end(taken.chance, why, Outcome(MESH, why, 404)), passed=passed)
        rule = of_route(taken.route)
        rule = self.placed(rule) if rule else None
        decided = _Decided(self, taken.route, rule, (taken.route, *levels), request, peer)
        return replace(decided.step(), chance=taken.chance, passed=passed)

    def _named(self, route: Json, host: Json) -> str:
        rule = of_route(route)
        if rule is not None:
            return str(self.placed(rule))
        return descriptions.route(route, host["name"])

    def name(self, route: Json, host: Json) -> str:
        """The rule of a route; of an inbound route, which has none, nothing."""
        inbound = is_inbound(host["name"])
        return "" if inbound else self._named(route, host)


@dataclass(frozen=True, slots=True)
class _Decided:
    """A route that has been chosen."""

    manager: Manager
    route: Json
    rule: RuleOrigin | None
    levels: tuple[Json, ...]
    """The route, its virtual host, its table."""
    request: Request
    peer: Peer

    def step(self) -> Step:
        """The filters first, then the route's own action for whom they let pass."""
        notes, ends, left, asked = self._filtered()
        acts = self._acts(asked.request or self.request) if left > 0 else ()
        branches = (*ends, *(replace(a, chance=a.chance * left) for a in acts))
        says = self.manager.name(self.route, self.levels[1])
        at = self.manager.at
        if len(branches) == 1 and branches[0].outcome is not None and not branches[0].at:
            only = branches[0]
            text = f"{says}: {only.says}" if says else only.says
            return replace(
                only, at=at, says=text, rule=self.rule or only.rule, notes=(*notes, *only.notes)
            )
        return Step(
            1.0, at, says or "to the app", self.rule, (*notes, *self._notes()), (), branches
        )

    def _filtered(self) -> tuple[list[str], list[Step], float, AuthzRequest]:
        manager = self.manager
        asked = AuthzRequest(self.peer, self.request)
        place = http_filters.FilterContext(self.rule, manager.placed, manager.now)
        notes: list[str] = []
        ends: list[Step] = []
        left = 1.0
        for entry in manager.config.get("http_filters", ()):
            config = entry.get("typed_config", {})
            if config.get("@type", "").endswith(".router.v3.Router"):
                continue
            own = http_filters.nearest(self.levels, entry["name"])
            said = http_filters.said_by(entry["name"], config, own, asked, place)
            notes += said.notes
            for chance, outcome in said.stops:
                says = f"{outcome.status}: {outcome.why}"
                told = replace(outcome, why=f"{outcome.why} at {manager.at}")
                ends.append(Step(left * chance, "", says, outcome.rule, outcome=told))
            left *= 1 - sum(chance for chance, _ in said.stops)
            for text in said.assumed:
                manager.assume(text)
            asked = replace(asked, metadata={**asked.metadata, **said.metadata})
            if left <= 0:
                break
        return notes, ends, left, asked

    def _acts(self, request: Request) -> tuple[Step, ...]:
        if "direct_response" in self.route:
            return (self._direct(self.route["direct_response"], request),)
        if "redirect" in self.route:
            rule = self.route["redirect"]
            to = redirects.location(rule, self.route["match"], request)
            status = redirects.code(rule)
            outcome = Outcome(MESH, f"redirected to {to}", status, self.rule, location=to)
            return (Step(1.0, "", f"{status}, Location {to}", self.rule, outcome=outcome),)
        return tuple(self._targets(request))

    def _direct(self, answer: Json, request: Request) -> Step:
        status = answer["status"]
        body = answer.get("body", {}).get("inline_string", "")
        why = "answered directly"
        if self.route.get("name") == "block_all" and self.rule is None:
            why = descriptions.nothing_opens(request.target, self.manager.source)
            if near := hosts.near(self.levels[2], request.authority):
                why += f"; known here: {', '.join(near)}"
        outcome = Outcome(MESH, why, status, self.rule, body=body)
        return Step(1.0, "", f"{status}, {why}", self.rule, outcome=outcome)

    def _targets(self, request: Request) -> Iterator[Step]:
        action = self.route["route"]
        weighted = action.get("weighted_clusters", {}).get("clusters")
        if weighted is None:
            yield from self._to(action["cluster"], (), request)
            return
        total = sum(entry.get("weight", 0) for entry in weighted)
        if not total:
            why = "no destination of it has a weight"
            yield Step(1.0, "", why, self.rule, outcome=Outcome(MESH, why, 503, self.rule))
            return
        for entry in weighted:
            if share := entry.get("weight", 0) / total:
                named = descriptions.cluster(entry["name"])
                steps = tuple(self._to(entry["name"], (entry,), request))
                says = f"{named} (weight {entry['weight']} of {total})"
                yield Step(share, "", says, then=steps)

    def _to(self, cluster: str, narrower: tuple[Json, ...], request: Request) -> Iterator[Step]:
        action = self.route["route"]
        levels = (*narrower, *self.levels)
        sent = rewriting.sent_on(request, levels, action, self.route["match"])
        upgrades = action.get("upgrade_configs", ())
        tunnel = request.is_connect and any("connect_config" in u for u in upgrades)
        yield from self.manager.onwards(
            Upstream(self.manager.proxy, cluster, action, sent, tunnel, self.rule)
        )

    def _notes(self) -> Iterator[str]:
        action = self.route.get("route")
        if action is None:
            return
        if "cluster" in action and not is_inbound(action["cluster"]):
            yield f"to {descriptions.cluster(action['cluster'])}"
        yield from _times(action)
        for mirror in action.get("request_mirror_policies", ()):
            share = matching.fraction(mirror.get("runtime_fraction", {}).get("default_value"))
            target = descriptions.cluster(mirror["cluster"])
            yield f"{100 * share:g} % of calls are mirrored to {target}"
        if rewriting.mentions(action):
            levels, match = self.levels, self.route["match"]
            sent = rewriting.sent_on(self.request, levels, action, match)
            yield f"rewritten to {sent}"
        yield from _header_notes(self.levels)


def _times(action: Json) -> Iterator[str]:
    timeout = action.get("timeout", "15s")
    if timeout.rstrip("s").strip("0.") != "":
        yield f"504 after {timeout}"
    if retry := action.get("retry_policy"):
        tries = retry.get("num_retries", 1)
        each = f", {retry['per_try_timeout']} a try" if "per_try_timeout" in retry else ""
        codes = retry.get("retriable_status_codes", ())
        on = ", ".join([*retry.get("retry_on", "").split(","), *map(str, codes)])
        yield f"up to {tries} retries on {on}{each}"


def _header_notes(levels: Sequence[Json]) -> Iterator[str]:
    for level in levels:
        for side in ("request", "response"):
            for entry in level.get(f"{side}_headers_to_add", ()):
                header = entry["header"]
                how = entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
                verb = "set" if how.startswith("OVERWRITE") else "added"
                yield f"{side} header {header['key']}: {header.get('value', '')} is {verb}"
            for name in level.get(f"{side}_headers_to_remove", ()):
                yield f"{side} header {name} is removed"
