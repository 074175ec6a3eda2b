"""The read-only part of an embedded mesh: everything that looks at it, or sends one request."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.embedded import curl, pod_requests, refusals
from meshproof.embedded.config.world_builder import istio_gateways
from meshproof.embedded.curl import OpenConnection
from meshproof.embedded.engine import Engine
from meshproof.embedded.lifecycle import Lifecycle
from meshproof.embedded.lookup import find_gateway, find_outside, find_replicas, find_workload
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.process_names import owner_of
from meshproof.embedded.telemetry import access_log_tail, evidence, request_log
from meshproof.embedded.telemetry.scrape_targets import list_targets, read_all
from meshproof.errors import UsageError
from meshproof.gateway_api.gateway_status import gateway_statuses
from meshproof.gateway_api.status import route_statuses
from meshproof.host.process_usage import measure_sessions
from meshproof.mesh import (
    AccessRecord,
    Answer,
    ExecResult,
    GatewayStatus,
    MeshStatus,
    ReplicaStatus,
    Span,
    Tail,
    Topology,
    Usage,
)
from meshproof.model.yaml_writer import to_yaml
from meshproof.telemetry.log_lines import LineFilter, LogLine
from meshproof.translate.gateway_workloads import server_ports
from meshproof.translate.traffic_shares import serving_workloads, workload_shares

if TYPE_CHECKING:
    from meshproof.explain import Explanation


class Queries:
    """Answers questions about one mesh. Callable from any thread."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    @property
    def _engine(self) -> Engine:
        return self._lifecycle.engine

    # -- addresses and requests ----------------------------------------------------------------

    def url(self, target: str) -> str:
        engine = self._engine
        if gateway := find_gateway(engine, target):
            return gateway.url(server_ports(engine.world().gateways, gateway.proxy))
        if target in engine.context.urls:
            return engine.context.urls[target]
        if host := find_outside(engine, target):
            return host.url()
        name = find_replicas(engine, target)[0].name
        ports = next(r for r in engine.world().replicas if r.name == name).ports
        if not ports:
            raise UsageError(f"{target} declares no container port, and no Service names one")
        runner = find_replicas(engine, target)[0]
        address = self._lifecycle.run(runner.open_listener(ports[0]))
        return f"http://{address.ip}:{address.port}"

    def port_forward(self, workload: str, port: int) -> str:
        """An address of this machine that leads to a port of a workload's app."""
        runner = find_replicas(self._engine, workload)[0]
        address = self._lifecycle.run(runner.open_app(port))
        return f"{address.ip}:{address.port}"

    def environment(self, workload: str) -> dict[str, str]:
        """What ``exec`` runs a command with: the container's variables, the caller's PATH."""
        runner = find_replicas(self._engine, workload)[0]
        return {**runner.app.env(), "PATH": os.environ.get("PATH", "")}

    def command(self, workload: str) -> tuple[str, ...]:
        """What to put before a command so that it runs in the workload's pod; nothing where there
        are no pods."""
        return find_replicas(self._engine, workload)[0].app.command_prefix()

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        try:
            prefix = self.command(workload)
            result = subprocess.run(
                [*prefix, *argv],
                env=None if prefix else self.environment(workload),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise UsageError(f"{argv[0]}: {error.strerror}") from None
        return ExecResult(result.returncode, result.stdout, result.stderr)

    def curl(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        runner = find_replicas(self._engine, workload)[0]
        connect = self._connection_of(runner)
        request_id = curl.request_id(headers)
        sent = [
            *(h for h in headers if h[0].lower() != "x-request-id"),
            ("x-request-id", request_id),
        ]
        before = evidence.log_sizes(self._engine)
        try:
            answer = curl.request(
                connect, url, method=method, headers=sent, body=body, timeout=timeout
            )
        except pod_requests.UnknownName as error:
            return Answer(0, (), b"", 0.0, refused_by=str(error))
        except curl.ConnectionClosed as error:
            log = self._lifecycle.run(evidence.read_records(self._engine, since=before))
            if why := refusals.explain_closed_connection(log, runner.name, url, workload):
                return Answer(0, (), b"", error.seconds, refused_by=why)
            raise
        if not refusals.may_be_refused(answer):
            return answer
        log = self._lifecycle.run(evidence.read_records(self._engine, since=before))
        why = refusals.explain_refusal(answer, log, request_id, url, workload)
        return replace(answer, refused_by=why)

    def _connection_of(self, runner: ReplicaRunner) -> OpenConnection:
        sandboxes = self._engine.context.sandboxes
        make_socket = sandboxes.socket_factory(runner.name)
        if make_socket is None:
            return curl.by_proxy(runner.ip)
        resolve = partial(pod_requests.resolve, sandboxes.names, runner.workload.namespace)
        return curl.from_pod(make_socket, resolve)

    def explain(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Explanation:
        """What the Envoys' current configuration would do with a request; nothing is sent."""
        from meshproof.embedded import explain_adapter  # noqa: PLC0415  (rarely needed)
        from meshproof.explain.question import Question, explain_question  # noqa: PLC0415

        engine = self._engine
        if find_gateway(engine, workload) is None:
            workload = "/".join(find_replicas(engine, workload)[0].workload.key)
        question = Question(workload, url, method, headers)
        fleet = explain_adapter.running_fleet(engine)
        return explain_question(fleet, engine.store.lowered, question)

    # -- evidence ------------------------------------------------------------------------------

    def spans(self, run_id: str) -> list[Span]:
        return self._lifecycle.run(evidence.read_spans(self._engine, run_id))

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        return self._lifecycle.run(evidence.read_traces(self._engine, trace_ids))

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._lifecycle.run(evidence.read_records(self._engine, run_id))

    def tail(self, host: str, cursor: str) -> Tail:
        return self._lifecycle.run(access_log_tail.read_tail(self._engine, host, cursor))

    def metrics(self, workload: str = "") -> str:
        targets = list_targets(self._engine)
        if workload:
            key = find_workload(self._engine, workload)
            targets = [t for t in targets if t.workload == key]
        return self._lifecycle.run(read_all(targets))

    def request_metrics(self) -> str:
        """The part of ``metrics`` with the counters and durations of requests."""
        envoys = evidence.list_envoys(self._engine)
        return self._lifecycle.run(evidence.read_metrics(envoys, only=evidence.REQUESTS))

    def log_files(self, workload: str) -> list[Path]:
        """Where the containers of a workload, or an outside host, write."""
        engine = self._engine
        paths = engine.context.paths
        if host := find_outside(engine, workload):
            return [paths.app_log(host.process)]
        if gateway := find_gateway(engine, workload):
            return [paths.access_log(gateway.node)]
        return [log for r in find_replicas(engine, workload) for log in paths.app_logs(r.name)]

    def logs(self, workload: str) -> str:
        return "".join(
            p.read_text(errors="replace") for p in self.log_files(workload) if p.exists()
        )

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        selection = LineFilter(trace_id, run_id)
        return self._lifecycle.run(request_log.read_lines(self._engine, selection))

    def dump(self, folder: Path) -> None:
        self._lifecycle.run(evidence.dump(self._engine, folder))

    # -- state ---------------------------------------------------------------------------------

    def rules(self) -> str:
        """Every applied resource of networking.istio.io as YAML, none of another dialect."""
        resources = self._engine.store.ordered()
        return to_yaml(r for r in resources if r.api_version.startswith("networking.istio.io/"))

    def status(self) -> MeshStatus:
        engine = self._lifecycle.engine_even_if_lost
        resources = engine.store.ordered()
        gateways = istio_gateways(engine.store)
        return MeshStatus(
            name=self._lifecycle.name,
            kind="embedded",
            version=engine.config.version,
            resources=tuple(r.title for r in resources),
            routes=tuple(route_statuses(resources, engine.store.services)),
            kubernetes_gateways=tuple(gateway_statuses(resources)),
            gateways=tuple(
                GatewayStatus(
                    namespace=r.proxy.namespace,
                    workload=r.proxy.workload,
                    ready=r.ready and not engine.lost,
                    ports={
                        port: f"{r.ip}:{bound}"
                        for port, bound in r.ports.bind(server_ports(gateways, r.proxy)).items()
                    },
                )
                for r in engine.gateways.runners
            ),
            replicas=tuple(
                ReplicaStatus(
                    name=r.name,
                    workload=r.workload.name,
                    namespace=r.workload.namespace,
                    labels=r.workload.labels,
                    ready=r.ready and not engine.lost,
                    restarts=r.restarts,
                    address=r.ip,
                    reason=engine.lost or r.state.reason,
                    sidecar=r.workload.sidecar,
                )
                for r in engine.fleet.runners
            ),
        )

    def topology(self) -> Topology:
        engine = self._engine
        world = engine.world()
        return Topology(
            tuple(workload_shares(world)), _name_outside_hosts(engine), serving_workloads(world)
        )

    def usage(self) -> list[Usage]:
        running = self._engine.context.supervisor.running
        sessions = measure_sessions(running.values())
        return [
            Usage(*owner_of(name), sessions[pid].cpu_seconds, sessions[pid].memory_bytes)
            for name, pid in sorted(running.items())
        ]


def _name_outside_hosts(engine: Engine) -> dict[str, str]:
    """Every name of a declared host and every host of a ServiceEntry -> the host's own name; by an
    entry's address where it has one."""
    names = {name: host.host for host in engine.outside for name in host.declared.aliases}
    result = {host.host: host.host for host in engine.outside}
    for entry in engine.world().service_entries:
        called = entry.spec.addresses[0] if entry.spec.addresses else entry.spec.hosts[0]
        result |= dict.fromkeys(entry.spec.hosts, names.get(called, called))
    return result
