"""/pay wants the payer's token: a bad one is 401, none is 403 as in Istio, a good one is paid.

Istio's RequestAuthentication refuses tokens that are bad and lets requests without one pass; it is
the AuthorizationPolicy that asks for a principal, and its answer is 403.
"""

from __future__ import annotations

import json

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, documents
from e2e.payments.tokens import ISSUER, Signer
from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results
from meshproof.verdicts.access import admitted, refused

RULE = RULES / "payers_show_a_token.yaml"
N = 60
BAD = {
    "expired": (Signer().token(seconds=-3600), 401),
    "wrongly signed": (Signer("somebody else's").token(), 401),
    "of another issuer": (Signer().token("elsewhere.test"), 401),
    "no token": ("", 403),
}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


Seen = tuple[list[Answer], list[AccessRecord]]
"""The payers' answers, and what svca's sidecar logged of them."""


def load_without_good_tokens(run: Run, load: StartLoad) -> dict[str, Seen]:
    """Loads of payers without a good token, one of each kind, side by side."""
    runs = {kind: run.new() for kind in BAD}
    loads = {
        kind: load(requests=N, users=2, headers=bearer(BAD[kind][0]), run_id=run_id)
        for kind, run_id in runs.items()
    }
    return {kind: _evidence(running.wait(), run) for kind, running in loads.items()}


def _evidence(results: Results, run: Run) -> Seen:
    answers = [Answer(r.status, (), b"", r.elapsed) for r in results.records]
    log = run.access_log(results.run_id)
    return answers, [r for r in log if r.path.startswith("/pay")]


def test_the_rule_holds_the_public_half_of_the_tests_key() -> None:
    (rule,) = documents(RULE)[0]["spec"]["jwtRules"]
    assert (rule["issuer"], json.loads(rule["jwks"])) == (ISSUER, {"keys": [Signer().jwk()]})


def test_whoever_shows_a_good_token_pays(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    results = load(requests=N, headers=bearer(Signer().token())).wait()
    judge(no_failures("a good token", results.records, run.access_log(), sent=results.sent))


def test_whoever_shows_a_bad_one_or_none_does_not(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    for kind, evidence in load_without_good_tokens(run, load).items():
        judge(admitted(f"{kind}, without the rule", *evidence))
    mesh.apply([RULE])
    for kind, evidence in load_without_good_tokens(run, load).items():
        judge(refused(kind, *evidence, status=BAD[kind][1]))
        judge(
            admitted(f"{kind} is let in", *evidence),
            expect="fail",
            because="not every request was answered 200|0 requests reached an app",
        )
