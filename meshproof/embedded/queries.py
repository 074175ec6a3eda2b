"""Everything that only looks at an embedded mesh, or sends one request through it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.embedded import curl, refusals
from meshproof.embedded.lifecycle import Running
from meshproof.embedded.telemetry import access_log_tail, evidence, request_log
from meshproof.embedded.telemetry.scrape_targets import targets, text_of
from meshproof.errors import UsageError
from meshproof.gateway_api.status import route_statuses
from meshproof.mesh import (
    AccessRecord,
    Answer,
    ExecResult,
    MeshStatus,
    ReplicaStatus,
    Span,
    Tail,
)
from meshproof.model.yaml_writer import to_yaml
from meshproof.telemetry.log_lines import LogLine, Wanted

if TYPE_CHECKING:
    from meshproof.explain import Explanation


class Looking(Running):
    """The part of the contract that changes nothing."""

    def url(self, target: str) -> str:
        engine = self._live()
        if target == "gateway":
            return engine.gateway.url(engine.world())
        if self._observing is not None and target in self._observing.urls:
            return self._observing.urls[target]
        for host in engine.outside:
            if target in (host.host, *host.declared.aliases):
                return host.url()
        runner = self._runners(target)[0]
        ports = next(r for r in engine.world().replicas if r.name == runner.name).ports
        if not ports:
            raise UsageError(f"{target} declares no container port, and no Service names one")
        return f"http://{ports[0].listen.ip}:{ports[0].listen.port}"

    def environment(self, workload: str) -> dict[str, str]:
        """What ``exec`` runs a command with: the container's variables over the caller's PATH."""
        return {**self._runners(workload)[0].env(), "PATH": os.environ.get("PATH", "")}

    def exec(self, workload: str, argv: Sequence[str], *, stdin: bytes = b"") -> ExecResult:
        try:
            done = subprocess.run(
                list(argv),
                env=self.environment(workload),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise UsageError(f"{argv[0]}: {error.strerror}") from None
        return ExecResult(done.returncode, done.stdout, done.stderr)

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
        runner = self._runners(workload)[0]
        request_id = curl.request_id(headers)
        sent = [
            *(h for h in headers if h[0].lower() != "x-request-id"),
            ("x-request-id", request_id),
        ]
        before = evidence.ends(self._live())
        answer = curl.request(
            runner.ip, url, method=method, headers=sent, body=body, timeout=timeout
        )
        if not refusals.may_be(answer):
            return answer
        log = self._run(evidence.records(self._live(), since=before))
        return replace(answer, refused_by=refusals.why(answer, log, request_id, url, workload))

    def explain(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Explanation:
        """What would become of such a request, by what the Envoys were given; nothing is sent."""
        from meshproof.embedded import explain_adapter  # noqa: PLC0415  (few meshes are asked)

        engine = self._live()
        if workload != explain_adapter.GATEWAY:
            workload = "/".join(self._runners(workload)[0].workload.key)
        question = explain_adapter.Question(workload, url, method, headers)
        fleet = explain_adapter.running_fleet(engine)
        return explain_adapter.explain_question(fleet, engine.store.lowered, question)

    def spans(self, run_id: str) -> list[Span]:
        return self._run(evidence.spans(self._live(), run_id))

    def trace_spans(self, trace_ids: Sequence[str]) -> list[Span]:
        return self._run(evidence.trace_spans(self._live(), trace_ids))

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        return self._run(evidence.records(self._live(), run_id))

    def rules(self) -> str:
        """Every applied resource of networking.istio.io as YAML, none of another dialect."""
        found = self._live().store.ordered()
        return to_yaml(r for r in found if r.api_version.startswith("networking.istio.io/"))

    def tail(self, host: str, cursor: str) -> Tail:
        """What was called at a service since ``cursor``, as its callers' sidecars logged it."""
        return self._run(access_log_tail.tail(self._live(), host, cursor))

    def metrics(self, workload: str = "") -> str:
        engine = self._live()
        chosen = targets(engine)
        if workload:
            key = self._resolve(workload)
            chosen = [t for t in chosen if t.workload == key]
        return self._run(text_of(chosen))

    def log_files(self, workload: str) -> list[Path]:
        """Where the apps of a workload, or an outside host, write what they say."""
        engine = self._live()
        files = engine.runtime.files
        for host in engine.outside:
            if workload in (host.host, *host.declared.aliases):
                return [files.app_log(host.name)]
        if workload == "gateway":
            return [files.access_log(engine.gateway.envoy.node)]
        return [log for r in self._runners(workload) for log in files.app_logs(r.name)]

    def logs(self, workload: str) -> str:
        return "".join(
            p.read_text(errors="replace") for p in self.log_files(workload) if p.exists()
        )

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        """Every log's lines of one trace, or of one run, in order of beginning."""
        return self._run(request_log.lines(self._live(), Wanted(trace_id, run_id)))

    def status(self) -> MeshStatus:
        engine = self._live(even_lost=True)
        resources = engine.store.ordered()
        return MeshStatus(
            name=self.name,
            kind="embedded",
            version=engine.version,
            resources=tuple(r.title for r in resources),
            routes=tuple(route_statuses(resources, engine.store.services)),
            replicas=tuple(
                ReplicaStatus(
                    name=r.name,
                    workload=r.workload.name,
                    namespace=r.workload.namespace,
                    labels=r.workload.labels,
                    ready=r.ready and not engine.lost,
                    restarts=r.restarts + r.envoy.restarts,
                    address=r.ip,
                    reason=engine.lost or r.reason,
                )
                for r in engine.fleet.runners
            ),
        )

    def dump(self, folder: Path) -> None:
        self._run(evidence.dump(self._live(), folder))
