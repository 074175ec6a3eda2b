"""Follows a request from the caller's Envoy to the one who answers it, Envoy by Envoy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from meshproof.errors import UsageError
from meshproof.explain import clusters, descriptions, filter_chains, gateways, network_filters
from meshproof.explain.capture import captures
from meshproof.explain.clusters import Member, UpstreamTls, connection_shares
from meshproof.explain.connection import Peer
from meshproof.explain.connection_manager import ConnectionManager, Upstream
from meshproof.explain.grpc_replies import as_grpc, is_grpc
from meshproof.explain.origin import Locate, without_location
from meshproof.explain.pod_calls import PodCalls
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
from meshproof.istio_names import ClusterName, is_connect_loop, is_inbound

_HCM = ".http_connection_manager.v3.HttpConnectionManager"
_OUTBOUND = "outbound"


def explain(
    fleet: Fleet, source: Proxy, request: Request, *, now: float, locate: Locate = without_location
) -> Explanation:
    """``now`` in seconds since 1970, for tokens; ``locate`` adds file and line to a rule.

    Raises UsageError if the gateway does not listen at the request's port, and ValueError for
    configuration that the mesh never emits.
    """
    explainer = _Explainer(fleet, locate, now, source.workload)
    steps = tuple(explainer.from_source(source, request))
    steps = tuple(map(as_grpc, steps)) if is_grpc(request) else steps
    return Explanation(
        str(request),
        source.workload,
        steps,
        tuple(dict.fromkeys(explainer.assumptions)),
        fleet.pods,
    )


@dataclass
class _Explainer:
    fleet: Fleet
    locate: Locate
    now: float
    source: str
    assumptions: list[str] = field(default_factory=list)

    def from_source(self, source: Proxy, request: Request) -> tuple[Step, ...]:
        if source.gateway:
            return self._at_gateway(source, request)
        if captures(source):
            calls = PodCalls(self.fleet, self.locate, self._http, self._forward)
            return calls.steps(source, request)
        chain = source.listeners[_OUTBOUND]["filter_chains"][0]
        return self._http(source, "outbound", chain, request, Peer(local_ip=source.ip))

    def _at_gateway(self, gateway: Proxy, request: Request) -> tuple[Step, ...]:
        """A gateway is called directly: it terminates https itself, there is no tunnel."""
        tls = request.scheme == "https"
        port = request.port
        listener = gateway.listeners.get(f"http.{port}")
        if listener is None:
            raise UsageError(gateways.describe_no_listener(gateway, port, self.fleet))
        at = gateways.name_of(gateway)
        sni = filter_chains.sni_of(request.authority) if tls else ""
        chain = gateways.choose_chain(listener, sni)
        if chain is None:
            reason = f"the gateway has no certificate for {sni}"
            return (Step(1.0, at, reason, outcome=Outcome(CLOSED, reason)),)
        if gateways.passes_bytes(chain):
            to = Upstream(gateway, "", {}, request, True, None)
            return self._pass_on(to, gateway, chain, Peer(local_ip=gateway.ip, tls=tls, sni=sni))
        return self._http(gateway, "gateway", chain, request, Peer(local_ip=gateway.ip, tls=tls))

    def _http(
        self, proxy: Proxy, direction: str, chain: Json, request: Request, peer: Peer
    ) -> tuple[Step, ...]:
        config = next(
            f["typed_config"] for f in chain["filters"] if f["typed_config"]["@type"].endswith(_HCM)
        )
        at = gateways.name_of(proxy) if proxy.gateway else f"{proxy.name} {direction}"
        manager = ConnectionManager(
            proxy,
            at,
            config,
            self.locate,
            self.now,
            self._forward,
            self.assumptions.append,
            self.source,
        )
        return manager.steps(request, peer)

    def _forward(self, to: Upstream) -> tuple[Step, ...]:
        cluster = to.proxy.clusters.get(to.cluster)
        if cluster is None:
            code = to.action.get("cluster_not_found_response_code", "SERVICE_UNAVAILABLE")
            status = {"SERVICE_UNAVAILABLE": 503, "NOT_FOUND": 404}.get(code, 500)
            return (_failure(to, descriptions.describe_missing_cluster(to.cluster), status),)
        subset = to.action.get("metadata_match", {})
        members = clusters.members(to.proxy, cluster, subset, to.address)
        if not members:
            return (
                _failure(
                    to,
                    f"{descriptions.describe_cluster(to.cluster)} has no ready endpoint",
                    503,
                ),
            )
        source = clusters.hash_source(cluster, to.action.get("hash_policy", ()), to.request)
        notes = (
            (f"always the same of {len(members)}, by {source}",)
            if source and len(members) > 1
            else ()
        )
        return tuple(
            replace(
                step, chance=step.chance * member.share, envoy={**step.envoy, "cluster": cluster}
            ).with_notes(notes)
            for member in members
            for step in self._connect(to, cluster, member)
        )

    def _connect(self, to: Upstream, cluster: Json, member: Member) -> tuple[Step, ...]:
        place, notes = member.address or member.pipe, []
        if fault := self.fleet.link_faults.get(place):
            place = fault.real
            if fault.kind in ("refuse", "cut"):
                real = self.fleet.address_of(place)
                where = _format_address(real) if real else place
                reason = f"a network fault ({fault.kind}) is on the way to {where}"
                return (_failure(to, reason, 503),)
            notes = [f"a network fault ({fault.kind}) is on the way"]
        if is_connect_loop(to.cluster):
            return (self._explain_loop(to),)
        address = self.fleet.address_of(place)
        if address is None or is_inbound(to.cluster):
            return (self._answer_from_app(to, member),)
        server = self.fleet.at(address[0])
        if server is not None and server.gateway and server.listener_at(address) is None:
            at, port = gateways.name_of(server), address[1]
            return (_failure(to, f"{at} listens for nobody at port {port}", 503, at),)
        if server is None or server.listener_at(address) is None:
            return (self._leave_mesh(to, cluster, member, address).with_notes(notes),)
        steps = self._receive(to, clusters.upstream_tls(cluster, member), server, address)
        return tuple(step.with_notes(notes) for step in steps)

    def _explain_loop(self, to: Upstream) -> Step:
        """The sidecar terminates a tunnel to an HTTP port; what is inside meets the same rules."""
        reason = (
            f"{to.request.authority} is a port of plain HTTP: the tunnel is opened, and what comes "
            "through it goes by the rules for http; TLS inside of it is not understood"
        )
        return Step(1.0, "", reason, to.rule, outcome=Outcome(CLOSED, reason))

    def _outside_host(self, to: Upstream, cluster: Json, address: Address) -> str:
        """The host at an address; of several, the one that the cluster is for or that the request
        names."""
        hosts = self.fleet.outside.get(address, ())
        destination = ClusterName.parse(cluster["name"])
        candidates = (
            destination.host if destination else "",
            to.request.authority.partition(":")[0],
        )
        return next((host for host in candidates if host in hosts), hosts[0] if hosts else "")

    def _leave_mesh(self, to: Upstream, cluster: Json, member: Member, address: Address) -> Step:
        if cluster.get("type") == "ORIGINAL_DST":
            return _failure(to, f"nothing listens at {_format_address(address)}", 503)
        name = self._outside_host(to, cluster, address)
        tls = clusters.upstream_tls(cluster, member)
        suffix = " over TLS" if tls.kind == "tls" else ""
        kind = TUNNEL if to.tunnel else OUTSIDE
        real = _format_address(address)
        reason = f"the host outside {name or real} gets it at {real}{suffix}"
        outcome = Outcome(
            kind, reason, workload=name, address=real,
            received=str(to.request), headers=to.request.headers,
        )  # fmt: skip
        return Step(1.0, "", reason, outcome=outcome)

    def _receive(
        self, to: Upstream, tls: UpstreamTls, server: Proxy, address: Address
    ) -> tuple[Step, ...]:
        listener = server.listener_at(address)
        assert listener is not None, "the caller has looked"
        if server.gateway:
            return self._receive_at_gateway(to, tls, server, listener)
        if tls.kind == "plain" and not to.tunnel:
            tls = replace(tls, protocols=("http/1.1",))
        elif to.protocols:
            tls = replace(tls, protocols=to.protocols)
        connection = filter_chains.connect(to.proxy, tls, server, listener, address[1])
        at = f"{server.name} inbound"
        if connection.chain is None:
            return (_failure(to, f"closed by {server.name}: {connection.closed}", 503, at),)
        if denied := self._deny_connection(to, connection.chain, connection.peer, at):
            return (denied,)
        for entry in connection.chain["filters"]:
            if entry["typed_config"]["@type"].endswith(_HCM):
                if tls.kind == "proxied":
                    reason = f"{server.name} takes proxyProtocol's header for a request"
                    return (_failure(to, reason, 400, at),)
                steps = self._http(server, "inbound", connection.chain, to.request, connection.peer)
                return tuple(step.with_notes((connection.note,)) for step in steps)
        return (self._pass_bytes(to, server, at, connection.note),)

    def _deny_connection(self, to: Upstream, chain: Json, peer: Peer, at: str) -> Step | None:
        """A policy of a TCP port that closes the connection, if any."""
        denial, assumed = network_filters.find_denial(chain, peer, self.locate, self.now)
        self.assumptions += assumed
        if denial is None:
            return None
        reason = f"{denial.why}: the connection is closed"
        return replace(_failure(to, reason, 503, at), rule=denial.rule)

    def _receive_at_gateway(
        self, to: Upstream, tls: UpstreamTls, server: Proxy, listener: Json
    ) -> tuple[Step, ...]:
        """A gateway in the middle: it routes requests, or passes connections on by their SNI."""
        at = gateways.name_of(server)
        if to.tunnel and tls.kind == "plain":  # the app's own TLS is inside
            tls = UpstreamTls("tls", filter_chains.sni_of(to.request.authority))
        connection = gateways.connect(to.proxy, tls, server, listener)
        if connection.chain is None:
            return (_failure(to, f"closed by {at}: {connection.closed}", 503, at),)
        if gateways.passes_bytes(connection.chain):
            return self._pass_on(to, server, connection.chain, connection.peer)
        if to.tunnel:
            reason = f"{at} terminates the TLS inside the tunnel: `--from {at}` explains the rest"
            return (Step(1.0, at, reason, to.rule, outcome=Outcome(TUNNEL, reason)),)
        steps = self._http(server, "gateway", connection.chain, to.request, connection.peer)
        notes = (connection.note,) if connection.note else ()
        return tuple(step.with_notes(notes) for step in steps)

    def _pass_on(self, to: Upstream, gateway: Proxy, chain: Json, peer: Peer) -> tuple[Step, ...]:
        """A gateway's TCP or TLS route: policies, then the clusters by their weights."""
        at = gateways.name_of(gateway)
        if denied := self._deny_connection(to, chain, peer, at):
            return (denied,)
        proxy = chain["filters"][-1]["typed_config"]
        steps: list[Step] = []
        for cluster, share in connection_shares(proxy):
            upstream = Upstream(gateway, cluster, {}, to.request, True, to.rule)
            inner = self._forward(upstream)
            where = descriptions.describe_cluster(cluster) + descriptions.describe_tunnel(proxy)
            text = f"passes the connection on to {where}"
            steps.append(Step(share, at, text, to.rule, branches=inner))
        return tuple(steps)

    def _pass_bytes(self, to: Upstream, server: Proxy, at: str, note: str) -> Step:
        kind = TUNNEL if to.tunnel else APP
        reason = f"{server.name} gets it {'as bytes' if server.sidecar else 'without a sidecar'}"
        return Step(
            1.0, at, reason, notes=(note,), outcome=_outcome(server, kind, reason, str(to.request))
        )

    def _answer_from_app(self, to: Upstream, _member: Member) -> Step:
        reason = f"{to.proxy.name} answers"
        outcome = replace(
            _outcome(to.proxy, APP, reason, str(to.request)), headers=to.request.headers
        )
        return Step(1.0, "", f"to the app, as {to.request}", outcome=outcome)


def _outcome(server: Proxy, kind: str, why: str, received: str) -> Outcome:
    return Outcome(
        kind, why, namespace=server.namespace, workload=server.workload.rpartition("/")[2],
        version=server.version, replica=server.name, received=received,
    )  # fmt: skip


def _failure(to: Upstream, why: str, status: int, at: str = "") -> Step:
    """The caller's own sidecar answers; a tunnel is refused when it is opened. A connection of a
    TCP listener is closed."""
    if to.as_bytes:
        return Step(1.0, at, f"closed: {why}", to.rule, outcome=Outcome(CLOSED, why, rule=to.rule))
    return Step(1.0, at, f"{status}: {why}", to.rule, outcome=Outcome(MESH, why, status, to.rule))


def _format_address(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
