"""A local rate limit, as Istio's task writes it: 429 beyond the bucket, at once, by svca's own
sidecar; and it keeps the goodput under five times the capacity."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from e2e.payments.overload import (
    judge_overload,
    measure_capacity,
    run_crowd_beside_regulars,
    slow_down,
)
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, documents
from e2e.support.calls import N, send_calls
from meshproof.mesh import Answer, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.calls import GATEWAY, Call, send
from meshproof.verdicts.counts import exactly

pytestmark = pytest.mark.alone


RULE = RULES / "svca_takes_so_many_a_second.yaml"
BUCKET = 4
"""Tokens, as in Istio's own example, and no more for a minute."""


def four_a_minute(*, by_port: bool) -> str:
    """The rule with the bucket of Istio's example; ``by_port`` in the task's other form, where
    the filter has no bucket, and the routes of one port have it."""
    (rule,) = documents(RULE)
    (patch,) = rule["spec"]["configPatches"]
    config: dict[str, Any] = patch["patch"]["value"]["typed_config"]
    bucket = {"max_tokens": BUCKET, "tokens_per_fill": BUCKET, "fill_interval": "60s"}
    limit = config["value"] = {**config["value"], "token_bucket": bucket}
    if by_port:
        config["value"] = {"stat_prefix": limit["stat_prefix"]}
        routes = {
            "applyTo": "HTTP_ROUTE",
            "match": {
                "context": "SIDECAR_INBOUND",
                "routeConfiguration": {
                    "vhost": {"name": "inbound|http|80", "route": {"action": "ANY"}}
                },
            },
            "patch": {
                "operation": "MERGE",
                "value": {
                    "typed_per_filter_config": {
                        "envoy.filters.http.local_ratelimit": {**config, "value": limit}
                    }
                },
            },
        }
        rule["spec"]["configPatches"].append(routes)
    return yaml.safe_dump(rule)


def is_limited(answer: Answer) -> bool:
    return answer.status == 429 and ("x-local-rate-limit", "true") in answer.headers


@pytest.mark.long
@pytest.mark.parametrize("by_port", [False, True], ids=["of the sidecar", "of a port's routes"])
def test_the_bucket_is_kept_to_the_request(
    mesh: Mesh, run: Run, judge: Judge, *, by_port: bool
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    answers, _ = send_calls(mesh, run, "svcb-v0.1", "http://svca/pay")
    good = sum(a.status == 200 for a in answers)
    judge(exactly("no limit", N, {"200": good}, expected=N))
    mesh.apply([Source("four a minute", four_a_minute(by_port=by_port))])
    answers, log = send_calls(mesh, run, "svcb-v0.1", "http://svca/pay", concurrency=1)  # in order
    assert [a.status for a in answers[:BUCKET]] == [200] * BUCKET
    limited = sum(r.direction == "inbound" and r.code == 429 and "RL" in r.flags for r in log)
    judge(
        exactly(
            "four a minute: refused",
            N,
            {
                "429 with its header": sum(map(is_limited, answers)),
                "by svca's sidecar (RL)": limited,
            },
            expected=N - BUCKET,
        )
    )


@pytest.mark.long
def test_a_gateway_s_bucket_is_kept_for_all_paths(mesh: Mesh, run: Run, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    unknown = send(mesh, Call(GATEWAY, "/nowhere"), N, run.new())
    judge(exactly("no limit", N, {"404": sum(a.status == 404 for a in unknown)}, expected=N))
    rule = four_a_minute(by_port=False).replace("SIDECAR_INBOUND", "GATEWAY")
    at_gateway = rule.replace("app: svca", "istio: ingressgateway")
    mesh.apply([Source("four a minute at the gateway", at_gateway)], namespace="istio-system")
    paid = send(mesh, Call(GATEWAY, "/pay"), N, run.new())
    assert sum(a.status == 200 for a in paid) == BUCKET
    judge(exactly("refused", N, {"429": sum(map(is_limited, paid))}, expected=N - BUCKET))
    unknown = send(mesh, Call(GATEWAY, "/nowhere"), N, run.new())
    judge(exactly("where no route leads", N, {"429": sum(map(is_limited, unknown))}, expected=N))


@pytest.mark.nightly
def test_goodput_holds_under_five_times_the_load(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    slow_down(mesh)
    peak = measure_capacity(load, run)
    mesh.apply([RULE])
    judge_overload("limited a second", run_crowd_beside_regulars(load, run, peak), judge, 429)
