"""The client of a running mesh's control socket. Imports the standard library and little else."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import cast

from meshproof.control import connection
from meshproof.control.endpoint import Endpoint, P, R
from meshproof.control.routes import (
    changes,
    cluster,
    dashboard,
    explain,
    queries,
    release,
    telemetry,
)
from meshproof.control.routes.holds import Hold
from meshproof.control.wire import Json
from meshproof.errors import UsageError
from meshproof.host import registry
from meshproof.host.registry import RunningMesh


class Client:
    """A running mesh. Its calls raise what the mesh raised, and MeshproofError where it has ended.

    The methods below are the endpoints of ``control.routes``, where their parameters and results
    are described; any other endpoint is called by ``call``.
    """

    def __init__(self, entry: RunningMesh) -> None:
        self.entry = entry

    @staticmethod
    def find(name: str) -> Client:
        """Raises UsageError where no mesh of that name runs, or where it is not live yet."""
        entry = registry.find(name)
        if not entry.control_socket:
            raise UsageError(f"the mesh {name} (process {entry.pid}) is still starting, or ending")
        return Client(entry)

    def call(self, endpoint: Endpoint[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The endpoint's answer."""
        body = json.dumps(endpoint.arguments(*args, **kwargs))
        parts = connection.post(self.entry, endpoint.path, body)
        return cast("R", parts if endpoint.streaming else json.loads(b"".join(parts)))

    apply = changes.apply
    delete = changes.delete
    reset = changes.reset
    scale = changes.scale
    fault = changes.fault
    down = changes.down

    status = queries.status
    url = queries.url
    command = queries.command
    environment = queries.environment
    port_forward = queries.port_forward
    dump = queries.dump
    explain = explain.explain

    logs = telemetry.logs
    joined_logs = telemetry.joined_logs
    spans = telemetry.spans
    access_log = telemetry.access_log
    metrics = telemetry.metrics

    rules = release.rules
    tail = release.tail

    events = dashboard.events
    topology = dashboard.topology
    usage = dashboard.usage
    requests = dashboard.requests

    load = cluster.load
    observe = cluster.observe
    unobserve = cluster.unobserve

    def curl(
        self, workload: str, url: str, method: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Json:
        """``Answer`` as a mapping; its ``body`` is bytes."""
        encoded = base64.b64encode(body).decode()
        answer = self.call(
            queries.curl, workload, url, method=method, headers=headers, body=encoded
        )
        return {**answer, "body": base64.b64decode(answer["body"])}

    def hold(
        self, name: str, sources: Sequence[tuple[str, str]], namespace: str, grace: float
    ) -> Hold:
        """Have the mesh apply ``sources`` once this process is gone and ``grace`` seconds are over,
        unless the hold is released before, or taken again by another process.

        Raises UsageError while another process holds that name.
        """
        request = {"name": name, "sources": list(sources), "namespace": namespace, "grace": grace}
        return Hold(self.entry, request)

    def hold_fault(self, workload: str) -> Hold:
        """Have the mesh clear a workload's faults at once when this process is gone."""
        return Hold(self.entry, {"name": f"fault {workload}", "clear": workload, "grace": 0})
