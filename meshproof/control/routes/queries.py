"""Questions about the mesh and its workloads, and a request from one of them."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.control.endpoint import query
from meshproof.control.protocols import Remote, SupportsPods
from meshproof.control.wire import Json, as_json
from meshproof.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.control.context import ControlContext


@query
def status(context: ControlContext) -> Json:
    """``MeshStatus`` as a mapping."""
    return as_json(context.mesh.status())


@query
def url(context: ControlContext, target: str) -> str:
    return context.mesh.url(target)


@query
def command(context: ControlContext, workload: str, *, terminal: bool) -> list[str]:
    """What to put before a command so that it runs where the workload does. Empty where that is
    this machine itself: there a command needs the workload's ``environment`` instead."""
    if isinstance(context.mesh, Remote):
        return list(context.mesh.command(workload, terminal=terminal))
    if isinstance(context.mesh, SupportsPods):
        return list(context.mesh.pod_command(workload))
    return []


@query
def port_forward(context: ControlContext, workload: str, port: int) -> str:
    """Raises Unsupported for a mesh on a cluster, where kubectl does it."""
    if not isinstance(context.mesh, SupportsPods):
        raise Unsupported(
            f"port-forward: the mesh {context.mesh.name} is on a cluster; "
            f"kubectl port-forward deployment/{workload} {port} does it"
        )
    return context.mesh.port_forward(workload, port)


@query
def environment(context: ControlContext, workload: str) -> dict[str, str]:
    return context.mesh.environment(workload)


@query
def curl(
    context: ControlContext,
    workload: str,
    url: str,
    *,
    method: str,
    headers: Sequence[tuple[str, str]],
    body: str,
) -> Json:
    """``Answer`` as a mapping. JSON carries no bytes: both bodies are in base 64."""
    answer = context.mesh.curl(
        workload,
        url,
        method=method,
        headers=[(name, value) for name, value in headers],
        body=base64.b64decode(body),
    )
    without_body = as_json(dataclasses.replace(answer, body=b""))
    return {**without_body, "body": base64.b64encode(answer.body).decode()}


@query
def dump(context: ControlContext, folder: str) -> None:
    context.mesh.dump(Path(folder))
