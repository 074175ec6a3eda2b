"""``status``: every replica, every gateway, and the Gateway API's conditions."""

from __future__ import annotations

from typing import Any

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, OnlyNamespace, Output, client
from meshproof.cli.output import show_json, show_table


@app.command()
def status(
    namespace: OnlyNamespace = "", output: Output = Format.TEXT, name: Name = DEFAULT_NAME
) -> None:
    """Show every replica (ready or why not, restarts, address), where the ports of gateways are
    reached, and the conditions of the Gateway API's Gateways and routes."""
    mesh = client(name).status()
    replicas = [r for r in mesh["replicas"] if not namespace or r["namespace"] == namespace]
    if output is Format.JSON:
        show_json({**mesh, "replicas": replicas})
        return
    show_table(
        ("Namespace", "Workload", "Replica", "Ready", "Restarts", "Address", "Reason"),
        [_replica_row(replica) for replica in replicas],
    )
    gateways = [g for g in mesh.get("gateways", ()) if not namespace or g["namespace"] == namespace]
    if any(g["ports"] for g in gateways):
        print()
        show_table(
            ("Namespace", "Gateway", "Ready", "Port", "Address"),
            [
                (g["namespace"], g["workload"], "yes" if g["ready"] else "no", port, address)
                for g in gateways
                for port, address in g["ports"].items()
            ],
        )
    own = [g for g in mesh.get("kubernetes_gateways", ()) if namespace in ("", g["namespace"])]
    if own:
        print()
        show_table(
            ("Namespace", "Gateway API", "Listener", "Routes", "Accepted", "Programmed", "Reason"),
            [
                _listener_row(gateway, listener)
                for gateway in own
                for listener in gateway["listeners"]
            ],
        )
    routes = [r for r in mesh.get("routes", ()) if not namespace or r["namespace"] == namespace]
    if routes:
        print()
        show_table(
            ("Namespace", "Route", "Parent", "Accepted", "ResolvedRefs", "Reason"),
            [_route_row(route, parent) for route in routes for parent in route["parents"]],
        )


def _replica_row(replica: dict[str, Any]) -> tuple[str, ...]:
    return (
        replica["namespace"],
        replica["workload"],
        replica["name"],
        "yes" if replica["ready"] else "no",
        str(replica["restarts"]),
        replica["address"],
        "; ".join(filter(None, (replica["reason"], _no_sidecar(replica)))),
    )


def _no_sidecar(replica: dict[str, Any]) -> str:
    return "" if replica.get("sidecar", True) else "no sidecar"


def _listener_row(gateway: dict[str, Any], listener: dict[str, Any]) -> tuple[str, ...]:
    """One listener of a Gateway with its conditions."""
    by_type = {c["type"]: c for c in listener["conditions"]}
    wrong = [c for c in listener["conditions"] if c["status"] == (c["type"] == "Conflicted")]
    return (
        gateway["namespace"],
        gateway["name"],
        listener["name"],
        str(listener["attached_routes"]),
        "yes" if by_type["Accepted"]["status"] else "no",
        "yes" if by_type["Programmed"]["status"] else "no",
        "; ".join(f"{c['reason']}: {c['message']}" for c in wrong),
    )


def _route_row(route: dict[str, Any], parent: dict[str, Any]) -> tuple[str, ...]:
    """One parent of an HTTPRoute with its conditions."""
    by_type = {c["type"]: c for c in parent["conditions"]}
    reasons = [f"{c['reason']}: {c['message']}" for c in parent["conditions"] if not c["status"]]
    return (
        route["namespace"],
        f"{route.get('kind', 'HTTPRoute')} {route['name']}",
        f"{parent['kind']} {parent['namespace']}/{parent['name']}",
        "yes" if by_type["Accepted"]["status"] else "no",
        "yes" if by_type["ResolvedRefs"]["status"] else "no",
        "; ".join(reasons),
    )
