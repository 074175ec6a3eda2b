"""``ls``, ``status``, ``url``, ``dump``: look at a running mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from meshproof.cli.options import (
    DEFAULT_NAME,
    Format,
    Name,
    Output,
    client,
)
from meshproof.cli.output import say, show_json, show_table

OnlyNamespace = Annotated[str, typer.Option("-n", "--namespace", help="Only this namespace.")]


def _resource(title: str) -> dict[str, str]:
    """``VirtualService default/svcb`` in its parts."""
    kind, _, where = title.partition(" ")
    namespace, _, name = where.rpartition("/")
    return {"kind": kind, "namespace": namespace, "name": name}


def ls(
    namespace: OnlyNamespace = "", output: Output = Format.TEXT, name: Name = DEFAULT_NAME
) -> None:
    """List the resources that are applied."""
    found = [_resource(title) for title in client(name).status()["resources"]]
    found = [r for r in found if not namespace or r["namespace"] == namespace]
    if output is Format.JSON:
        show_json(found)
    else:
        show_table(("Kind", "Namespace", "Name"), [tuple(r.values()) for r in found])


def status(
    namespace: OnlyNamespace = "", output: Output = Format.TEXT, name: Name = DEFAULT_NAME
) -> None:
    """Show every replica (ready or why not, restarts, address) and HTTPRoutes' conditions."""
    found = client(name).status()
    replicas = [r for r in found["replicas"] if not namespace or r["namespace"] == namespace]
    if output is Format.JSON:
        show_json({**found, "replicas": replicas})
        return
    show_table(
        ("Namespace", "Workload", "Replica", "Ready", "Restarts", "Address", "Reason"),
        [_row(replica) for replica in replicas],
    )
    routes = [r for r in found.get("routes", ()) if not namespace or r["namespace"] == namespace]
    if routes:
        print()
        show_table(
            ("Namespace", "HTTPRoute", "Parent", "Accepted", "ResolvedRefs", "Reason"),
            [_route_row(route, parent) for route in routes for parent in route["parents"]],
        )


def _route_row(route: dict[str, Any], parent: dict[str, Any]) -> tuple[str, ...]:
    """One parent of an HTTPRoute with its conditions."""
    said = {c["type"]: c for c in parent["conditions"]}
    wrong = [f"{c['reason']}: {c['message']}" for c in parent["conditions"] if not c["status"]]
    return (
        route["namespace"],
        route["name"],
        f"{parent['kind']} {parent['namespace']}/{parent['name']}",
        "yes" if said["Accepted"]["status"] else "no",
        "yes" if said["ResolvedRefs"]["status"] else "no",
        "; ".join(wrong),
    )


def _row(replica: dict[str, Any]) -> tuple[str, ...]:
    return (
        replica["namespace"],
        replica["workload"],
        replica["name"],
        "yes" if replica["ready"] else "no",
        str(replica["restarts"]),
        replica["address"],
        replica["reason"],
    )


def url(
    target: Annotated[
        str, typer.Argument(metavar="WORKLOAD|gateway|metrics|zipkin", show_default=False)
    ],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print where a workload, the gateway, or what was counted or traced, is reached from outside
    the mesh."""
    found = client(name).url(target)
    if output is Format.JSON:
        show_json({"url": found})
    else:
        print(found)


def dump(
    folder: Annotated[Path, typer.Argument()] = Path("meshproof-dump"),
    name: Name = DEFAULT_NAME,
) -> None:
    """Write Envoy configuration, logs and resources to a folder."""
    client(name).dump(str(folder.absolute()))
    say(f"written to {folder}")
