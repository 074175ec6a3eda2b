"""Every request leaves one whole trace, from the gateway to the egress to msgd."""

from __future__ import annotations

from e2e.payments import msgd
from e2e.payments.delivery import delivered
from e2e.payments.payment import payments
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, deployments
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.trace_chain import Step, complete

N = 500
PAY = (
    Step("istio-ingressgateway"),
    Step("svca", "SERVER"),
    Step("svca", "CLIENT", to="svcb"),
    Step("svcb", "SERVER"),
    Step("svcb", "CLIENT", to="10.100.35.27"),
)


def test_every_request_has_its_whole_tree(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    results = load(requests=N).wait()
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    judge(complete("traces", results.trace_ids(), run.spans(), PAY))
    arrived = {m["id"]: (m["trace_id"], m["span_id"]) for m in msgd.messages(mesh, run.id)}
    sent = {p.message_id: p.trace_id for p in payments(results.records)}
    judge(delivered("egress span to msgd", sent, arrived, run.spans(), PAY[-1]))


def test_a_service_that_drops_the_headers_is_found_out(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    off = deployments("svca", {"FORWARD_TRACE_HEADERS": "off"})
    mesh.apply([Source("manifests/ with svca not forwarding trace headers", off)])
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    results = load(requests=N // 5).wait()
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    judge(
        complete("traces without forwarding", results.trace_ids(), run.spans(), PAY),
        expect="fail",
        because=r"wanted svca out.*, found nothing|belong to no request",
    )
