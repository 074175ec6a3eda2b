"""The shop's rules do what they say: each verdict has a control that must fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.run import Run
from meshproof.verdicts.access import admitted, refused
from meshproof.verdicts.split import Errors, split

RULES = Path(__file__).parents[1] / "rules"
TENTH_OFF = 0.9
N = 20


def test_a_tenth_of_all_offers_is_v2(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    mesh.apply([RULES / "catalogue_v1_90_v2_10.yaml"])
    results = load(requests=800, path="/offer").wait()
    judge(split("90/10", results.sample(), {"v1": 90, "v2": 10}, errors=Errors(shift=0.10)))
    judge(
        split("10/90", results.sample(), {"v1": 10, "v2": 90}, errors=Errors(shift=0.10)),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )


def test_rates_are_to_be_had_where_a_rule_opens_the_way(mesh: Mesh) -> None:
    closed = offer_in_dollars(mesh)
    assert (closed["currency"], "502" in closed["reason"]) == ("EUR", True)
    mesh.apply([RULES / "rates.yaml"])
    opened = offer_in_dollars(mesh)
    price = 4 * 1.25 * (TENTH_OFF if opened["version"] == "v2" else 1)
    assert (opened["currency"], opened["price"], opened["reason"]) == ("USD", price, "")


def test_nobody_but_the_storefront_reaches_a_basket(mesh: Mesh, run: Run, judge: Judge) -> None:
    judge(admitted("the catalogue, without the rule", *baskets(mesh, run, "catalogue-v1")))
    mesh.apply([RULES / "basket_from_storefront.yaml"])
    judge(refused("the catalogue, with it", *baskets(mesh, run, "catalogue-v1"), status=403))
    seen = baskets(mesh, run, "storefront")
    judge(admitted("the storefront, with it", *seen))
    judge(
        refused("the storefront, with it", *seen, status=403),
        expect="fail",
        because="not every request was answered 403|reached an app",
    )


def offer_in_dollars(mesh: Mesh) -> dict[str, Any]:
    answer = mesh.curl("storefront", "http://storefront/offer?item=tea&in=USD")
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


def baskets(mesh: Mesh, run: Run, sender: str) -> tuple[list[Answer], list[AccessRecord]]:
    """What a workload is told by one basket's replica, and every sidecar's word on it."""
    run_id = run.new()
    headers = [("x-run-id", run_id), ("x-basket-key", "not-for-production")]
    url = "http://basket-0.basket.shop:8080/show?user=eve"
    answers = [mesh.curl(sender, url, headers=headers) for _ in range(N)]
    return answers, run.access_log(run_id)
