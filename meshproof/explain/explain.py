"""From the caller's Envoy to who answers: one manager after the other, each by its own
configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from meshproof.errors import UsageError
from meshproof.explain import clusters, connections, descriptions, http_filters
from meshproof.explain.clusters import Member, UpstreamTls
from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.connection_manager import Manager, Upstream
from meshproof.explain.origin import Placed, as_is
from meshproof.explain.proxies import Address, Fleet, Proxy
from meshproof.explain.request import Request
from meshproof.explain.result import (
    APP,
    CLOSED,
    MESH,
    OUTSIDE,
    TUNNEL,
    Explanation,
    Outcome,
    Step,
)
from meshproof.explain.string_match import Json
from meshproof.istio_names import is_inbound

_HCM = ".http_connection_manager.v3.HttpConnectionManager"
_TCP_RBAC = ".network.rbac.v3.RBAC"
_OUTBOUND = "outbound"


def explain(
    fleet: Fleet, source: Proxy, request: Request, *, now: float, placed: Placed = as_is
) -> Explanation:
    """``now`` in seconds since 1970, for tokens; ``placed`` says where a rule was written.

    Raises UsageError where the gateway does not listen at the request's port, and ValueError for
    configuration of a form that the mesh never emits.
    """
    asking = _Asking(fleet, placed, now, source.workload)
    steps = tuple(asking.from_(source, request))
    return Explanation(str(request), source.workload, steps, tuple(dict.fromkeys(asking.assumed)))


@dataclass
class _Asking:
    fleet: Fleet
    placed: Placed
    now: float
    source: str
    assumed: list[str] = field(default_factory=list)

    def from_(self, source: Proxy, request: Request) -> tuple[Step, ...]:
        if source.gateway:
            return self._at_gateway(source, request)
        chain = source.listeners[_OUTBOUND]["filter_chains"][0]
        return self._http(source, "outbound", chain, request, Peer(local_ip=source.ip))

    def _at_gateway(self, gateway: Proxy, request: Request) -> tuple[Step, ...]:
        """A gateway is spoken to directly: https is its own TLS, no tunnel."""
        tls = request.scheme == "https"
        port = request.port
        listener = gateway.listeners.get(f"http.{port}")
        if listener is None:
            known = ", ".join(
                sorted(n.removeprefix("http.") for n in gateway.listeners if n != "probe")
            )
            raise UsageError(
                f"the gateway does not listen at port {port}; "
                + (f"it has {known}" if known else "no Gateway selects it")
            )
        sni = connections.sni_of(request.authority) if tls else ""
        chain = _gateway_chain(listener, sni)
        if chain is None:
            why = f"the gateway has no certificate for {sni}"
            return (Step(1.0, "gateway", why, outcome=Outcome(CLOSED, why)),)
        return self._http(gateway, "gateway", chain, request, Peer(local_ip=gateway.ip, tls=tls))

    def _http(
        self, proxy: Proxy, direction: str, chain: Json, request: Request, peer: Peer
    ) -> tuple[Step, ...]:
        config = next(
            f["typed_config"] for f in chain["filters"] if f["typed_config"]["@type"].endswith(_HCM)
        )
        at = "gateway" if proxy.gateway else f"{proxy.name} {direction}"
        manager = Manager(
            proxy,
            at,
            config,
            self.placed,
            self.now,
            self._onwards,
            self.assumed.append,
            self.source,
        )
        return manager.steps(request, peer)

    # -- towards a cluster ---------------------------------------------------------------------

    def _onwards(self, to: Upstream) -> tuple[Step, ...]:
        cluster = to.proxy.clusters.get(to.cluster)
        if cluster is None:
            code = to.action.get("cluster_not_found_response_code", "SERVICE_UNAVAILABLE")
            status = {"SERVICE_UNAVAILABLE": 503, "NOT_FOUND": 404}.get(code, 500)
            return (_failed(to, descriptions.missing(to.cluster), status),)
        chosen = clusters.members(to.proxy, cluster, to.action.get("metadata_match", {}))
        if not chosen:
            return (_failed(to, f"{descriptions.cluster(to.cluster)} has no ready endpoint", 503),)
        by = clusters.sticky(cluster, to.action.get("hash_policy", ()), to.request)
        notes = (f"always the same of {len(chosen)}, by {by}",) if by and len(chosen) > 1 else ()
        return tuple(
            replace(step, chance=step.chance * member.share).with_notes(notes)
            for member in chosen
            for step in self._member(to, cluster, member)
        )

    def _member(self, to: Upstream, cluster: Json, member: Member) -> tuple[Step, ...]:
        address, notes = member.address, []
        if address is not None and (way := self.fleet.ways.get(address)):
            if way.kind in ("refuse", "cut"):
                why = f"a network fault ({way.kind}) is on the way to {_text(way.real)}"
                return (_failed(to, why, 503),)
            notes, address = [f"a network fault ({way.kind}) is on the way"], way.real
        if address is None or is_inbound(to.cluster):
            return (self._app(to, member),)
        if address == (to.proxy.ip, _proxy_port(to.proxy)):
            return (self._loop(to),)
        server = self.fleet.at(address[0])
        if server is None or server.listener_at(address) is None:
            return (self._outside(to, cluster, member, address).with_notes(notes),)
        steps = self._received(to, clusters.upstream_tls(cluster, member), server, address)
        return tuple(step.with_notes(notes) for step in steps)

    def _loop(self, to: Upstream) -> Step:
        """A tunnel to an HTTP port is ended here, and led into the same rules."""
        why = (
            f"{to.request.authority} is a port of plain HTTP: the tunnel is opened, and what comes "
            "through it goes by the rules for http; TLS inside of it is not understood"
        )
        return Step(1.0, "", why, to.rule, outcome=Outcome(CLOSED, why))

    def _outside(self, to: Upstream, cluster: Json, member: Member, address: Address) -> Step:
        name = self.fleet.outside.get(address, "")
        told = clusters.upstream_tls(cluster, member)
        how = " over TLS" if told.kind == "tls" else ""
        kind = TUNNEL if to.tunnel else OUTSIDE
        why = f"the host outside {name or _text(address)} gets it at {_text(address)}{how}"
        outcome = Outcome(
            kind, why, workload=name, address=_text(address), received=str(to.request)
        )
        return Step(1.0, "", why, outcome=outcome)

    def _received(
        self, to: Upstream, speech: UpstreamTls, server: Proxy, address: Address
    ) -> tuple[Step, ...]:
        listener = server.listener_at(address)
        assert listener is not None, "the caller has looked"
        taken = connections.connected(to.proxy, speech, server, listener)
        at = f"{server.name} inbound"
        if taken.chain is None:
            return (_failed(to, f"closed by {server.name}: {taken.closed}", 503, at),)
        for entry in taken.chain["filters"]:
            config = entry["typed_config"]
            if config["@type"].endswith(_TCP_RBAC):
                place = http_filters.FilterContext(None, self.placed, self.now)
                refused, _ = http_filters.decided(config["rules"], AuthzRequest(taken.peer), place)
                if refused is not None:
                    closed = f"{refused.why}: the connection is closed"
                    return (replace(_failed(to, closed, 503, at), rule=refused.rule),)
            elif config["@type"].endswith(_HCM):
                steps = self._http(server, "inbound", taken.chain, to.request, taken.peer)
                return tuple(step.with_notes((taken.note,)) for step in steps)
        return (self._bytes(to, server, at, taken.note),)

    def _bytes(self, to: Upstream, server: Proxy, at: str, note: str) -> Step:
        kind = TUNNEL if to.tunnel else APP
        why = f"{server.name} gets it as bytes"
        return Step(1.0, at, why, notes=(note,), outcome=_of(server, kind, why, str(to.request)))

    def _app(self, to: Upstream, _member: Member) -> Step:
        why = f"{to.proxy.name} answers"
        outcome = _of(to.proxy, APP, why, str(to.request))
        return Step(1.0, "", f"to the app, as {to.request}", outcome=outcome)


def _of(server: Proxy, kind: str, why: str, received: str) -> Outcome:
    return Outcome(
        kind, why, namespace=server.namespace, workload=server.workload.rpartition("/")[2],
        version=server.version, replica=server.name, received=received,
    )  # fmt: skip


def _failed(to: Upstream, why: str, status: int, at: str = "") -> Step:
    """The caller's own sidecar answers; a tunnel gets no more than its opening's refusal."""
    return Step(1.0, at, f"{status}: {why}", to.rule, outcome=Outcome(MESH, why, status, to.rule))


def _gateway_chain(listener: Json, sni: str) -> Json | None:
    ranked = [
        (connections.server_name(c.get("filter_chain_match", {}).get("server_names", ()), sni), i)
        for i, c in enumerate(listener["filter_chains"])
    ]
    best = max(ranked, key=lambda pair: (pair[0], -pair[1]))
    chain: Json = listener["filter_chains"][best[1]]
    secure = "transport_socket" in chain
    return chain if best[0] >= 0 and secure == bool(sni) else None


def _proxy_port(proxy: Proxy) -> int:
    listener = proxy.listeners.get(_OUTBOUND)
    port: int = listener["address"]["socket_address"]["port_value"] if listener else 0
    return port


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
