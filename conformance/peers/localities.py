"""Requests of the routing suite's cases about localities, after Istio's TestLocality (1.29.6,
tests/integration/pilot/locality_test.go).

A ServiceEntry has an endpoint in the caller's place, one far away, and in some cases one in the
region that is next. By DNS the endpoints are Services, else pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from conformance.peers.case import Case, call

CALLER = "topology.istio.io/locality: region.zone.subzone"
"""The label that gives the caller its place; a node gives it in Istio's own run."""
_PORT = 18080
_NEXT = "failover: [{from: region, to: nearregion}]"
_LABELS = (
    "failoverPriority: [topology.kubernetes.io/region, topology.kubernetes.io/zone, "
    "topology.istio.io/subzone]"
)
_SHARES = "distribute: [{from: region, to: {nearregion: 80, region: 20}}]"
_NOBODY = {"DNS": "fake-should-fail.example.com", "STATIC": "10.10.10.10"}
_SENT = 50


class _Example(NamedTuple):
    """``local``, ``near`` and ``remote`` are apps, ``nobody``, or empty for no such endpoint."""

    name: str
    setting: str
    resolution: str
    local: str
    near: str
    remote: str
    shares: dict[str, int]
    distribution: str = ""


_EXAMPLES = (
    _Example("Prioritized/CDS", _NEXT, "DNS", "b", "", "c", {"b": 100}),
    _Example("Prioritized/EDS", _NEXT, "STATIC", "c", "", "b", {"c": 100}),
    _Example("Failover/CDS", _NEXT, "DNS", "nobody", "b", "c", {"b": 100}),
    _Example("Failover/EDS", _NEXT, "STATIC", "nobody", "c", "b", {"c": 100}),
    _Example("FailoverPriority/EDS", _LABELS, "STATIC", "b", "c", "nobody", {"b": 100}),
    _Example("Distribute/CDS", _SHARES, "DNS", "c", "b", "nobody", {"b": 80, "c": 20}),
    _Example("Distribute/EDS", _SHARES, "STATIC", "b", "c", "nobody", {"c": 80, "b": 20}),
    *(
        _Example(f"TrafficDistribution{name}/EDS", "", "STATIC", "c", "", "b", {"c": 100}, name)
        for name in ("PreferClose", "PreferSameZone", "PreferSameNode")
    ),
)


def cases(_: Any) -> Iterator[Case]:
    for example in _EXAMPLES:
        host = f"{example.name.lower().replace('/', '-')}-fake-locality.example.com"
        sent = call(
            "call", "a-v1", ["split", example.shares, 6],
            scheme="http", address=host, port=80, count=_SENT,
        )  # fmt: skip
        yield Case("locality", example.name, _entry(example, host) + _rule(example, host), [sent])


def _entry(example: _Example, host: str) -> str:
    places = (
        (example.local, "region/zone/subzone"),
        (example.remote, "notregion/notzone/notsubzone"),
        (example.near, "nearregion/zone/subzone"),
    )
    rows = "".join(
        f"\n  - {_endpoint(example, app)}, locality: {at}}}" for app, at in places if app
    )
    note = f"networking.istio.io/traffic-distribution: {example.distribution}"
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: places, namespace: echo, annotations: {{{note if example.distribution else ""}}}}}
spec:
  hosts: [{host}]
  location: MESH_EXTERNAL
  ports: [{{name: http, number: 80, protocol: HTTP}}]
  resolution: {example.resolution}
  endpoints:{rows}
---
"""


def _endpoint(example: _Example, app: str) -> str:
    """Without the brace that closes it."""
    if app == "nobody":
        return f"{{address: {_NOBODY[example.resolution]}"
    if example.resolution == "DNS":
        return f"{{address: {app}"
    return f'{{address: "{{ip:echo/{app}-v1}}", ports: {{http: {_PORT}}}'


def _rule(example: _Example, host: str) -> str:
    if not example.setting:
        return ""
    return f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: places, namespace: echo}}
spec:
  host: {host}
  trafficPolicy:
    connectionPool: {{tcp: {{connectTimeout: 250ms}}}}
    loadBalancer:
      simple: ROUND_ROBIN
      localityLbSetting: {{{example.setting}}}
    outlierDetection: {{interval: 1s, baseEjectionTime: 10m, maxEjectionPercent: 100}}
---
"""
