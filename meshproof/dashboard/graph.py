"""The service graph: workloads and their calls, with rates, configured and measured shares.

Pure: from the counts of a window, the replicas and the rules to nodes and edges in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.telemetry.graph_layout import columns, rows
from meshproof.telemetry.traffic_counts import Edge, TrafficCounts

Json = dict[str, Any]
GATEWAY = f"{ROOT_NAMESPACE}/{INGRESS_GATEWAY}"
REFUSED = "refused"


def build_graph(
    window: Mapping[Edge, TrafficCounts],
    totals: Mapping[Edge, TrafficCounts],
    seconds: float,
    replicas: Sequence[Json],
    topology: Json,
) -> Json:
    """``window``: counts of the last ``seconds``; ``totals``: since the start, so that silent edges
    stay. ``replicas`` and ``topology`` are as the control socket gives them."""
    titles = topology.get("outside", {})
    edges: dict[tuple[str, str], Json] = {}
    for edge, total in totals.items():
        if not total.requests:
            continue
        target = _target(edge, titles)
        drawing = _edge(edge, target, window.get(edge, TrafficCounts()), total, seconds)
        drawing |= _shares(edge, window, topology)
        key = (edge.source, target)
        edges[key] = _merge(edges[key], drawing) if key in edges else drawing
    nodes = _nodes(edges, replicas, titles)
    links = list(edges)
    column = columns(list(nodes), links, first=GATEWAY, last=_outside(nodes))
    row = rows(column, links)
    placed = [{**node, "column": column[key], "row": row[key]} for key, node in nodes.items()]
    return {"seconds": seconds, "nodes": placed, "edges": list(edges.values())}


def _target(edge: Edge, titles: Mapping[str, str]) -> str:
    if edge.target:
        return edge.target
    if edge.closed:
        return REFUSED
    return f"outside/{titles.get(edge.service, edge.service)}"


def _edge(
    edge: Edge, target: str, now: TrafficCounts, total: TrafficCounts, seconds: float
) -> Json:
    return {
        "source": edge.source,
        "target": target,
        "service": edge.service,
        "version": edge.version or edge.target.partition("/")[2],
        "rate": now.requests / seconds if seconds else 0.0,
        "failed": 100 * now.failed / now.requests if now.requests else 0.0,
        "p50": now.quantile(0.5),
        "p99": now.quantile(0.99),
        "total": total.requests,
        "total_failed": total.failed,
    }


def _merge(one: Json, other: Json) -> Json:
    """Two services of one target, or one under two names. Durations are those of the busier one."""
    busy, quiet = sorted((one, other), key=lambda e: -float(e["rate"]))
    rate = busy["rate"] + quiet["rate"]
    failed = busy["failed"] * busy["rate"] + quiet["failed"] * quiet["rate"]
    sums = {key: one[key] + other[key] for key in ("total", "total_failed")}
    return {**busy, **sums, "rate": rate, "failed": failed / rate if rate else 0.0}


def _shares(edge: Edge, window: Mapping[Edge, TrafficCounts], topology: Json) -> Json:
    """The share that the rules set for this edge, the measured one, and a note on conditions."""
    empty: Json = {"set": None, "measured": None, "sent": 0, "note": ""}
    serving = topology.get("serving", {}).get(edge.service, ())
    if len(serving) < 2 or not edge.target:
        return empty
    same_calls = {e: c.requests for e, c in window.items() if _is_same_call(e, edge)}
    sent = sum(same_calls.values())
    measured = 100 * same_calls.get(edge, 0) / sent if sent else None
    workload = edge.target.partition("/")[2]
    shares = [s for s in topology.get("shares", ()) if s["host"] == edge.service]
    unconditional = [s for s in shares if not s["only"]]
    conditional = [s for s in shares if s["only"] and s["workloads"] == [workload]]
    note = "; ".join(f"{s['percent']:g} % of {s['only']}" for s in conditional)
    if not shares and "shares" in topology:
        note = "no rule: load balanced"
    return {
        "set": _configured_share(unconditional, workload),
        "measured": measured,
        "sent": sent,
        "note": note,
    }


def _is_same_call(one: Edge, other: Edge) -> bool:
    return bool(one.target) and (one.source, one.service) == (other.source, other.service)


def _configured_share(shares: Sequence[Json], workload: str) -> float | None:
    """None without a rule, or if one destination stands for several workloads."""
    if not shares or any(len(s["workloads"]) > 1 for s in shares):
        return None
    return float(sum(s["percent"] for s in shares if s["workloads"] == [workload]))


def _nodes(
    edges: Mapping[tuple[str, str], Json], replicas: Sequence[Json], titles: Mapping[str, str]
) -> dict[str, Json]:
    """Every workload that exists or was called, the gateway, outside hosts, and the node of
    refused calls."""
    nodes: dict[str, Json] = {GATEWAY: _node(GATEWAY, "gateway", "gateway", "")}
    for replica in replicas:
        key = f"{replica['namespace']}/{replica['workload']}"
        node = nodes.setdefault(key, _node(key, "workload", *_titles(replica)))
        node["replicas"] += 1
        node["ready"] += replica["ready"]
    for host in sorted(set(titles.values())):
        nodes[f"outside/{host}"] = _node(f"outside/{host}", "outside", host, "outside")
    for source, target in edges:
        for key in (source, target):
            nodes.setdefault(key, _unlisted(key))
    return nodes


def _titles(replica: Json) -> tuple[str, str]:
    labels = replica["labels"]
    return labels.get("app") or replica["workload"], labels.get("version", "")


def _unlisted(key: str) -> Json:
    """A caller or callee without replicas: scaled to 0, refused, or outside."""
    if key == REFUSED:
        return _node(key, "refused", "closed", "no rule allows it")
    namespace, _, name = key.partition("/")
    kind = "outside" if namespace == "outside" else "workload"
    return _node(key, kind, name, "outside" if kind == "outside" else "")


def _node(key: str, kind: str, title: str, subtitle: str) -> Json:
    return {
        "id": key,
        "kind": kind,
        "title": title,
        "subtitle": subtitle,
        "replicas": 0,
        "ready": 0,
    }


def _outside(nodes: Mapping[str, Json]) -> list[str]:
    return [key for key, node in nodes.items() if node["kind"] in ("outside", "refused")]
