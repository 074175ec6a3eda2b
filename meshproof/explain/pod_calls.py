"""Calls of an app in a pod: a name is looked up, and the connection to its address is captured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from meshproof.explain import descriptions
from meshproof.explain.capture import Captured, capture, is_own
from meshproof.explain.clusters import connection_shares
from meshproof.explain.connection import Peer
from meshproof.explain.connection_manager import Forward, Upstream
from meshproof.explain.origin import Locate, route_origin
from meshproof.explain.proxies import Fleet, Proxy
from meshproof.explain.request import Request
from meshproof.explain.result import APP, CLOSED, Outcome, Step
from meshproof.explain.string_match import Json
from meshproof.istio_names import BLACK_HOLE_CLUSTER
from meshproof.model.pod_network import is_address

_HCM = ".http_connection_manager.v3.HttpConnectionManager"
Http = Callable[[Proxy, str, Json, Request, Peer], tuple[Step, ...]]
"""What the connection manager of a chain does with a request."""


@dataclass(frozen=True, slots=True)
class PodCalls:
    """Of any pod; ``http`` and ``forward`` follow a request and a connection further."""

    fleet: Fleet
    locate: Locate
    http: Http
    forward: Forward

    def steps(self, source: Proxy, request: Request) -> tuple[Step, ...]:
        """What becomes of a request: branches whose chances add up to 1."""
        ips: Sequence[str] = [request.host]
        if not is_address(request.host):
            ips = self.fleet.resolve(source.namespace, request.host) or ()
        if not ips:
            reason = f"{request.host} has no address in the pods of {source.namespace}"
            outcome = Outcome(CLOSED, f"{reason}: declare the host, or name a Service")
            return (Step(1.0, f"{source.name} DNS", reason, outcome=outcome),)
        return tuple(
            replace(step, chance=step.chance / len(ips))
            for ip in ips
            for step in self._captured(source, request, ip)
        )

    def _captured(self, source: Proxy, request: Request, ip: str) -> tuple[Step, ...]:
        if is_own(source, ip):
            reason = f"{ip} is the pod itself: the connection is not captured"
            outcome = Outcome(
                APP, reason, namespace=source.namespace, replica=source.name,
                workload=source.workload.rpartition("/")[2], version=source.version,
            )  # fmt: skip
            return (Step(1.0, "", reason, outcome=outcome),)
        sni = request.host if request.scheme == "https" else ""
        to = capture(source, (ip, request.port), sni=sni)
        note = f"listener {to.listener}, for {ip}:{request.port}"
        if source.sidecar and not source.capture.takes_outbound(ip, request.port):
            note = (
                f"{source.workload} excludes {ip}:{request.port} from its sidecar: no rule is asked"
            )
        if not source.sidecar:
            note = f"{source.workload} has no sidecar: no rule is asked, and nothing is encrypted"
        if any(f["typed_config"]["@type"].endswith(_HCM) for f in to.chain["filters"]):
            peer = Peer(local_ip=ip, port=request.port)
            steps = self.http(source, "outbound", to.chain, request, peer)
        else:
            steps = self._pass_on(source, to, request)
        return tuple(step.with_notes((note,)) for step in steps)

    def _pass_on(self, source: Proxy, to: Captured, request: Request) -> tuple[Step, ...]:
        """A TCP listener: to its clusters by their weights."""
        at, proxy = f"{source.name} outbound", to.chain["filters"][-1]["typed_config"]
        if proxy.get("cluster") == BLACK_HOLE_CLUSTER:
            reason = f"no rule opens {request.host}:{request.port} for {source.workload}"
            return (Step(1.0, at, f"closed: {reason}", outcome=Outcome(CLOSED, reason)),)
        origin = route_origin(to.chain)
        rule = self.locate(origin) if origin else None
        tunnel = request.scheme == "https"
        steps: list[Step] = []
        for name, share in connection_shares(proxy):
            upstream = Upstream(
                source, name, proxy, request, tunnel, rule, True, to.protocols, to.address
            )
            text = f"the connection goes to {descriptions.describe_cluster(name)}"
            if source.clusters.get(name, {}).get("type") == "ORIGINAL_DST":
                text = f"the connection goes to {to.address[0]}:{to.address[1]} itself"
            text += descriptions.describe_tunnel(proxy)
            inner = self.forward(upstream)
            steps.append(Step(share, at, text, rule, branches=inner))
        return tuple(steps)
