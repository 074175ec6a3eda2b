"""The service graph: workloads and what they call, with rates, and set beside measured shares.

Pure: a window's counts, the replicas and the rules in, nodes and edges out, laid out in columns.
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


def graph(
    window: Mapping[Edge, TrafficCounts],
    ever: Mapping[Edge, TrafficCounts],
    seconds: float,
    replicas: Sequence[Json],
    topology: Json,
) -> Json:
    """``window``: counts of the last ``seconds``; ``ever``: since the start, so that an edge stays
    when it falls silent. ``replicas`` and ``topology`` are the control socket's."""
    titles = topology.get("outside", {})
    edges: dict[tuple[str, str], Json] = {}
    for edge, total in ever.items():
        if not total.requests:
            continue
        target = _target(edge, titles)
        made = _edge(edge, target, window.get(edge, TrafficCounts()), total, seconds)
        made |= _shares(edge, window, topology)
        key = (edge.source, target)
        edges[key] = _joined(edges[key], made) if key in edges else made
    nodes = _nodes(edges, replicas, titles)
    ways = list(edges)
    column = columns(list(nodes), ways, first=GATEWAY, last=_beyond(nodes))
    row = rows(column, ways)
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


def _joined(one: Json, other: Json) -> Json:
    """Two services of one target, or one under two names: the busier one speaks for durations."""
    busy, quiet = sorted((one, other), key=lambda e: -float(e["rate"]))
    rate = busy["rate"] + quiet["rate"]
    failed = busy["failed"] * busy["rate"] + quiet["failed"] * quiet["rate"]
    added = {key: one[key] + other[key] for key in ("total", "total_failed")}
    return {**busy, **added, "rate": rate, "failed": failed / rate if rate else 0.0}


def _shares(edge: Edge, window: Mapping[Edge, TrafficCounts], topology: Json) -> Json:
    """What the rules set for this edge, what was measured, and of which calls only."""
    empty: Json = {"set": None, "measured": None, "sent": 0, "note": ""}
    serving = topology.get("serving", {}).get(edge.service, ())
    if len(serving) < 2 or not edge.target:
        return empty
    like = {e: c.requests for e, c in window.items() if _same_call(e, edge)}
    sent = sum(like.values())
    measured = 100 * like.get(edge, 0) / sent if sent else None
    workload = edge.target.partition("/")[2]
    found = [s for s in topology.get("shares", ()) if s["host"] == edge.service]
    always = [s for s in found if not s["only"]]
    some = [s for s in found if s["only"] and s["workloads"] == [workload]]
    note = "; ".join(f"{s['percent']:g} % of {s['only']}" for s in some)
    if not found and "shares" in topology:
        note = "no rule: in turn"
    return {"set": _set(always, workload), "measured": measured, "sent": sent, "note": note}


def _same_call(one: Edge, other: Edge) -> bool:
    return bool(one.target) and (one.source, one.service) == (other.source, other.service)


def _set(shares: Sequence[Json], workload: str) -> float | None:
    """None where no rule says, or where one destination stands for several workloads."""
    if not shares or any(len(s["workloads"]) > 1 for s in shares):
        return None
    return float(sum(s["percent"] for s in shares if s["workloads"] == [workload]))


def _nodes(
    edges: Mapping[tuple[str, str], Json], replicas: Sequence[Json], titles: Mapping[str, str]
) -> dict[str, Json]:
    """Every workload that is there or was called, the gateway, hosts outside, and the way out
    that is closed."""
    nodes: dict[str, Json] = {GATEWAY: _node(GATEWAY, "gateway", "gateway", "")}
    for replica in replicas:
        key = f"{replica['namespace']}/{replica['workload']}"
        node = nodes.setdefault(key, _node(key, "workload", *_names(replica)))
        node["replicas"] += 1
        node["ready"] += replica["ready"]
    for host in sorted(set(titles.values())):
        nodes[f"outside/{host}"] = _node(f"outside/{host}", "outside", host, "outside")
    for source, target in edges:
        for key in (source, target):
            nodes.setdefault(key, _unlisted(key))
    return nodes


def _names(replica: Json) -> tuple[str, str]:
    labels = replica["labels"]
    return labels.get("app") or replica["workload"], labels.get("version", "")


def _unlisted(key: str) -> Json:
    """What was called, or has called, and has no replica: scaled to 0, closed, or outside."""
    if key == REFUSED:
        return _node(key, "refused", "closed", "no rule opens the way")
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


def _beyond(nodes: Mapping[str, Json]) -> list[str]:
    return [key for key, node in nodes.items() if node["kind"] in ("outside", "refused")]
