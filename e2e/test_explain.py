"""``explain`` predicts what the running mesh does: rules and requests drawn at random.

Each request is explained by what the Envoys were given and then sent; its status, who answered,
with which path and host, and Location must be among what was foreseen with a chance. Over all of
them, shares that were foreseen between 0 and 100 % must be those that came. Of some rounds, what
the files alone say must be the same. ``EXPLAIN_SEED`` draws others.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import yaml

from conformance.replay import SENDER
from e2e.support.generators import requests
from e2e.support.generators.requests import Draw
from e2e.support.meshes import conformance_project, running
from meshproof.embedded import explain_adapter
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.explain import Explanation
from meshproof.explain.question import Question, explain_question
from meshproof.mesh import STDIN, Source
from tests.explain.recorded_requests import Answer, answers, is_predicted
from tests.translate.token_signer import Signer

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about the mesh's own Envoys"
    ),
]
SEED = int(os.environ.get("EXPLAIN_SEED", "20251125"))
ROUNDS, REQUESTS = 60, 20
BY_FILES = 6
"""Each so many rounds is compared with what the files say."""
Got = dict[str, object]


@pytest.fixture(scope="module")
def conf() -> Iterator[EmbeddedMesh]:
    """The mesh of conformance/: echo v1 and v2, other, client and intruder."""
    with running(EmbeddedMesh(conformance_project(), name=f"explain-{os.getpid()}")) as mesh:
        yield mesh


def test_the_mesh_does_what_was_foreseen(conf: EmbeddedMesh) -> None:
    rng = random.Random(SEED)
    wrong: list[str] = []
    shares, before, compared = Shares(), "", 0
    for number in range(ROUNDS):
        text = requests.rules(rng)
        draws = requests.requests(rng, REQUESTS)
        conf.apply([Source(f"<round {number}>", text)])
        forget(conf, before, text)
        before = text
        explanations = [explain_draw(conf, draw) for draw in draws]
        if number % BY_FILES == 0 and "ipBlocks" not in text:  # files know no addresses
            foreseen = [answers(e) for e in explain_by_files(conf, draws)]
            assert foreseen == [answers(e) for e in explanations], f"files differ:\n{text}\n{draws}"
            compared += len(draws)
        for draw, explanation, got in zip(
            draws, explanations, send_draws(conf, draws), strict=True
        ):
            shares.count(answers(explanation), got)
            if not is_predicted(explanation, got):
                wrong.append(
                    f"seed {SEED} round {number}\n{text}\n{draw}\ngot {got}\n{answers(explanation)}"
                )
    assert compared >= ROUNDS * REQUESTS / BY_FILES / 2, "files were asked about too few"
    assert not wrong, f"{len(wrong)} of {ROUNDS * REQUESTS}; the first:\n{wrong[0]}"
    shares.hold()


def forget(mesh: EmbeddedMesh, before: str, now: str) -> None:
    """Delete what only the round before had; a reset would remove the gateway's listener too."""
    current = {(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(now)}
    removed = [
        d for d in yaml.safe_load_all(before) if (d["kind"], d["metadata"]["name"]) not in current
    ]
    if removed:
        mesh.delete([Source(STDIN, yaml.safe_dump_all(removed))])


def explain_by_files(mesh: EmbeddedMesh, draws: list[Draw]) -> list[Explanation]:
    """What the same resources say without a mesh, as ``explain -f`` and ``meshproof test`` ask."""
    engine = mesh.lifecycle.engine
    fleet = explain_adapter.planned_fleet(engine.store, mesh.lifecycle.project)
    questions = [
        Question(draw.sender, url, draw.method, headers)
        for draw in draws
        for url, headers in (sent_as(draw),)
    ]
    return [explain_question(fleet, engine.store.lowered, question) for question in questions]


def sent_as(draw: Draw) -> tuple[str, tuple[tuple[str, str], ...]]:
    """URL and headers: at the gateway the host is a header."""
    if draw.sender == "gateway":
        return f"http://gate.test{draw.path}", (("Host", draw.host), *draw.headers)
    return f"http://{draw.host}{draw.path}", draw.headers


def explain_draw(mesh: EmbeddedMesh, draw: Draw) -> Explanation:
    url, headers = sent_as(draw)
    return mesh.explain(draw.sender, url, method=draw.method, headers=headers)


def send_draws(mesh: EmbeddedMesh, draws: list[Draw]) -> list[Got]:
    """The responses, in order; the requests of one workload are sent by one process."""
    responses: dict[int, Got] = {}
    for sender in dict.fromkeys(d.sender for d in draws):
        mine = [(i, d) for i, d in enumerate(draws) if d.sender == sender]
        if sender == "gateway":
            responses |= {i: at_gateway(mesh.url("gateway"), d) for i, d in mine}
            continue
        batch = [
            {
                "id": i,
                "method": d.method,
                "host": d.host,
                "path": d.path,
                "headers": dict(d.headers),
            }
            for i, d in mine
        ]
        done = mesh.exec(
            sender, (sys.executable, "-S", str(SENDER)), stdin=json.dumps(batch).encode()
        )
        assert done.code == 0, done.stderr.decode()
        responses |= {got["id"]: got for got in json.loads(done.stdout)}
    return [responses[i] for i in range(len(draws))]


def at_gateway(url: str, draw: Draw) -> Got:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=300)
    try:
        connection.putrequest(draw.method, draw.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("Host", draw.host), *draw.headers):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        data = answer.read().decode()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        got: Got = {"status": answer.status, "response_headers": headers}
        return {**got, "echo": json.loads(data)} if "x-app" in headers else {**got, "body": data}
    finally:
        connection.close()


class Shares:
    """Of every request for which v1's answer was foreseen with a chance between 0 and 1: how many
    came from v1, beside how many were to be expected."""

    def __init__(self) -> None:
        self.requests, self.came, self.wanted, self.variance = 0, 0, 0.0, 0.0

    def count(self, predictions: list[Answer], got: Got) -> None:
        chance = sum(a.chance for a in predictions if a.version == "v1")
        if 1e-9 < chance < 1 - 1e-9:
            self.requests += 1
            self.wanted += chance
            self.variance += chance * (1 - chance)
            echo = got.get("echo")
            self.came += isinstance(echo, dict) and echo.get("version") == "v1"

    def hold(self) -> None:
        """Alpha 1e-6: 4.9 standard deviations; of fewer than 100 requests nothing is judged."""
        assert self.requests >= 100, f"only {self.requests} requests had a share"
        z = (self.came - self.wanted) / math.sqrt(self.variance)
        assert abs(z) < 4.9, f"v1 answered {self.came}, foreseen {self.wanted:.1f} (z = {z:.1f})"


def test_a_route_that_was_altered_is_seen_to_disagree(conf: EmbeddedMesh) -> None:
    """The negative control: the same judgement on a route table that is not the mesh's."""
    conf.reset()
    rule = {"hosts": ["echo"], "http": [{"directResponse": {"status": 418}}]}
    conf.apply([Source(STDIN, yaml.safe_dump(requests.named(rule, "echo")))])
    draw = Draw("client", "GET", "echo", "/a")
    (got,) = send_draws(conf, [draw])
    assert is_predicted(explain_draw(conf, draw), got)

    fleet = explain_adapter.running_fleet(conf.lifecycle.engine)
    caller = next(p for p in fleet.proxies if p.workload == "conf/client")
    table = caller.routes["80" if conf.in_pods else "outbound"]
    host = next(h for h in table["virtual_hosts"] if h["name"].startswith("echo.conf."))
    route = next(r for r in host["routes"] if "direct_response" in r)
    route["direct_response"]["status"] = 404
    question = Question("client", "http://echo/a")
    assert not is_predicted(explain_question(fleet, (), question), got)


TOKENS = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: conf}
spec:
  selector: {matchLabels: {app: echo}}
  jwtRules: [{issuer: me, audiences: [shop], jwks: '%s'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: tokens, namespace: conf}
spec:
  selector: {matchLabels: {app: echo}}
  rules:
    - from: [{source: {requestPrincipals: [me/jason]}}]
    - when: [{key: "request.auth.claims[roles]", values: [admin]}]
"""


def test_tokens_are_taken_and_refused_as_foreseen(conf: EmbeddedMesh) -> None:
    ours, others = Signer(), Signer()
    conf.reset()
    conf.apply([Source(STDIN, TOKENS % ours.jwks)])
    expected = {
        "": 403,
        ours.token("me", "jason", aud="shop"): 200,
        ours.token("me", "jay", aud="shop"): 403,
        ours.token("me", "jay", aud=["x", "https://shop/"], roles=["user", "admin"]): 200,
        ours.token("me", "jason", aud="bank"): 403,
        ours.token("me", "jason", aud="shop", seconds=-90): 401,
        ours.token("me", "jason", aud="shop", seconds=-30): 200,
        ours.token("you", "jason", aud="shop"): 401,
        others.token("me", "jason", aud="shop"): 401,
        "nonsense": 401,
        "a*.b.c": 401,
        "YQ.b.c": 401,
    }
    draws = [
        Draw("client", "GET", "echo", "/a", (("authorization", f"Bearer {t}"),) if t else ())
        for t in expected
    ]
    responses = send_draws(conf, draws)
    assert [got["status"] for got in responses] == list(expected.values())
    for draw, got in zip(draws, responses, strict=True):
        explanation = explain_draw(conf, draw)
        assert is_predicted(explanation, got), (draw, got, explanation.outcomes())


def test_a_fault_on_the_way_is_known(conf: EmbeddedMesh) -> None:
    conf.reset()
    draw = Draw("client", "GET", "other", "/a")
    conf.fault("refuse", "other")
    try:
        (got,) = send_draws(conf, [draw])
        explanation = explain_draw(conf, draw)
        assert got["status"] == 503
        assert is_predicted(explanation, got)
        assert "a network fault (refuse) is on the way" in explanation.outcomes()[0][1].why
    finally:
        conf.fault("heal", "other")
    (got,) = send_draws(conf, [draw])
    assert is_predicted(explain_draw(conf, draw), got)


MODES = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: mode, namespace: conf}
spec: {mtls: {mode: %s}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: other, namespace: conf}
spec: {host: other, trafficPolicy: {tls: {mode: DISABLE}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: known, namespace: conf}
spec:
  selector: {matchLabels: {app: echo}}
  rules: [{from: [{source: {principals: ["*"]}}]}]
"""


@pytest.mark.parametrize(
    ("mode", "to_echo", "to_other"),
    [("STRICT", 200, 503), ("PERMISSIVE", 200, 200), ("DISABLE", 403, 200)],
)
def test_who_has_an_identity(conf: EmbeddedMesh, mode: str, to_echo: int, to_other: int) -> None:
    """DISABLE comes last: plain connections stay in use after it."""
    conf.reset()
    conf.apply([Source(STDIN, MODES % mode)])
    draws = [Draw("client", "GET", "echo", "/a"), Draw("client", "GET", "other", "/a")]
    responses = send_draws(conf, draws)
    assert [got["status"] for got in responses] == [to_echo, to_other]
    for draw, got in zip(draws, responses, strict=True):
        explanation = explain_draw(conf, draw)
        assert is_predicted(explanation, got), explanation.outcomes()
        assert sum(answer.chance for answer in answers(explanation)) == pytest.approx(1)
