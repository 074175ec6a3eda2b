"""What an explanation says of a request, as facts that expectations are compared with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meshproof.cases.planned_mesh import PlannedMesh, proxy_named
from meshproof.explain import Explanation
from meshproof.explain.clusters import members
from meshproof.explain.matching import fraction
from meshproof.explain.origin import RuleOrigin
from meshproof.explain.result import APP, OUTSIDE, TUNNEL, Outcome, Step
from meshproof.istio_names import is_inbound

Json = Any
FAULT = "envoy.filters.http.fault"
_DEFAULT_TIMEOUT = "15s"


@dataclass(frozen=True, slots=True)
class Responder:
    """A workload (``namespace``, ``name``, ``version``) or, without a namespace, a host outside."""

    namespace: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        full_name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{full_name} {self.version}".rstrip()


@dataclass(frozen=True, slots=True)
class MirrorFact:
    """Who gets copies, and of which share of the requests (in percent)."""

    responders: frozenset[Responder]
    percent: float


def responder_of(outcome: Outcome) -> Responder | None:
    """Who answers; None where the mesh does."""
    if outcome.kind == APP:
        return Responder(outcome.namespace, outcome.workload, outcome.version)
    if outcome.kind in (OUTSIDE, TUNNEL):
        if outcome.namespace:
            return Responder(outcome.namespace, outcome.workload, outcome.version)
        return Responder("", outcome.workload or outcome.address)
    return None


def seconds_of(duration: str) -> float:
    """Protobuf's JSON form, such as ``0.050s``."""
    return float(duration.removesuffix("s"))


@dataclass(frozen=True)
class Facts:
    """Facts of one explanation in the mesh that was asked."""

    explanation: Explanation
    mesh: PlannedMesh
    sender: str

    @cached_property
    def outcomes(self) -> list[tuple[float, Outcome]]:
        return self.explanation.outcomes()

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(_walk(self.explanation.steps))

    @cached_property
    def routes(self) -> list[Json]:
        """Of the caller's Envoy: several only if one takes a fraction of the requests."""
        return [s.envoy["route"] for s in self.explanation.steps if "route" in s.envoy]

    @cached_property
    def clusters(self) -> list[Json]:
        """Of the caller's Envoy, each once."""
        clusters = {
            s.envoy["cluster"]["name"]: s.envoy["cluster"]
            for s in self.steps
            if "cluster" in s.envoy and not is_inbound(s.envoy["cluster"]["name"])
        }
        return list(clusters.values())

    @cached_property
    def filters(self) -> list[Mapping[str, Json]]:
        """HTTP filters by name at the Envoys of those who answer, else at the caller's."""
        inner = [s.envoy["filters"] for s in self.steps if s.at.endswith(" inbound") and s.envoy]
        own = [s.envoy["filters"] for s in self.explanation.steps if "filters" in s.envoy]
        return [f for f in inner if f] or own

    @cached_property
    def actions(self) -> list[Json]:
        """The ``route`` action of each route that forwards."""
        return [r["route"] for r in self.routes if "route" in r]

    @cached_property
    def rewritten_hosts(self) -> frozenset[str]:
        """The hosts that the caller's routes write in place of the request's."""
        rewritten = (a.get("host_rewrite_literal") for a in self.actions)
        return frozenset(host for host in rewritten if host)

    @cached_property
    def timeouts(self) -> set[float]:
        """Seconds; 0 for none."""
        return {seconds_of(a.get("timeout", _DEFAULT_TIMEOUT)) for a in self.actions}

    @cached_property
    def delays(self) -> set[tuple[float, float]]:
        """Seconds and percent of the faults of the caller's routes."""
        configs = [r.get("typed_per_filter_config", {}).get(FAULT, {}) for r in self.routes]
        return {
            (seconds_of(c["delay"]["fixed_delay"]), 100 * fraction(c["delay"].get("percentage")))
            for c in configs
            if "delay" in c
        }

    @cached_property
    def mirrors(self) -> list[MirrorFact]:
        policies = [p for a in self.actions for p in a.get("request_mirror_policies", ())]
        facts = [
            MirrorFact(
                frozenset(self._members(p["cluster"])),
                100 * fraction(p.get("runtime_fraction", {}).get("default_value")),
            )
            for p in policies
        ]
        return [f for f in facts if f.percent > 0]

    def _members(self, cluster: str) -> Iterator[Responder]:
        """Who is behind a cluster of the caller's Envoy."""
        fleet = self.mesh.fleet
        at = self.explanation.steps[0].at.partition(" ")[0] if self.explanation.steps else ""
        proxy = proxy_named(fleet, at) or next((p for p in fleet.proxies if p.gateway), None)
        config = proxy.clusters.get(cluster) if proxy else None
        if proxy is None or config is None:
            return
        for member in members(proxy, config, {}):
            server = fleet.at(member.address[0]) if member.address else None
            if server is not None:
                yield Responder(
                    server.namespace, server.workload.rpartition("/")[2], server.version
                )
            elif member.address is not None:
                names = fleet.outside.get(member.address, ())
                yield from (Responder("", name) for name in names)

    @cached_property
    def visited(self) -> frozenset[RuleOrigin]:
        """Every rule that had a say, with its field."""
        rules = [s.rule for s in self.steps] + [o.rule for _, o in self.outcomes]
        rules += [p for s in self.steps for p in s.policies]
        return frozenset(r for r in rules if r is not None)

    @cached_property
    def deciding(self) -> RuleOrigin | None:
        """The rule that decides at the caller, for messages."""
        return next((s.rule for s in self.steps if s.rule is not None), None)


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _walk(step.branches)


_ROUTE = re.compile(r"spec\.(http|rules|tls|tcp)\[\d+\]")


def unit_of(field: str) -> str:
    """The route or policy rule that a field belongs to: ``spec.http[0]``; empty for the whole."""
    match = _ROUTE.match(field)
    return match[0] if match else ""
