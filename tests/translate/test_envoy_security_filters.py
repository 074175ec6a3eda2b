"""A real sidecar with policies and tokens: whom it lets in, and how it answers the others."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshproof.model.jwks import KeySource
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import Resource
from tests.translate import builders
from tests.translate.envoy_process import loopback_prefix, serve_echo, start_envoy
from tests.translate.policy_builders import policy, rule
from tests.translate.static_bootstrap import static_bootstrap
from tests.translate.token_signer import Signer

INLINE, FETCHED, STRANGER = Signer(), Signer("two"), Signer()
DENY = """
{action: DENY, rules: [
  {to: [{operation: {paths: [/secret, '/admin*', '/t/{*}/x'], notMethods: [OPTIONS]}}]},
  {to: [{operation: {methods: [DELETE]}}]},
  {to: [{operation: {hosts: ['*.evil.test']}}]},
  {when: [{key: 'request.headers[x-bad]', values: ['1*']}]},
  {from: [{source: {namespaces: [default]}}]},
  {to: [{operation: {ports: ['80']}}]}
]}
"""
ALLOW = """
{rules: [
  {to: [{operation: {paths: ['/open*']}}]},
  {from: [{source: {requestPrincipals: ['i.test/*']}}],
   to: [{operation: {paths: [/mine]}}],
   when: [{key: 'request.auth.claims[groups]', values: [staff]}]},
  {from: [{source: {requestPrincipals: ['keys.test/me']}}], to: [{operation: {paths: [/theirs]}}]}
]}
"""


@dataclass(frozen=True)
class Guarded:
    """The inbound listener of the sidecar, as a caller without one sees it."""

    ip: str

    def ask(
        self, path: str, method: str = "GET", host: str = "echo", **headers: str
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.ip, 8080, timeout=300)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, headers={"Host": host, **named})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def guarded(
    envoy: Path, secrets: dict[str, Resource], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    own = loopback_prefix()
    with ExitStack() as stack:
        echo = builders.replica("echo", "v1", f"{own}.1", backend=serve_echo(stack, f"{own}.2"))
        tokens = (
            f"{{jwtRules: [{{issuer: i.test, jwks: '{INLINE.jwks}',"
            " outputClaimToHeaders: [{header: x-sub, claim: sub}]},"
            " {issuer: keys.test, jwksUri: 'http://keys.test/k'},"
            " {issuer: gone.test, jwksUri: 'http://gone.test/k'}]}"
        )
        mesh = builders.world(
            replicas=(echo,),
            token_keys={KeySource("keys.test", "http://keys.test/k"): FETCHED.jwks},
            authorization_policies=(policy(DENY, "deny"), policy(ALLOW, "allow")),
            request_authentications=(rule("RequestAuthentication", tokens),),
        )
        folder = tmp_path_factory.mktemp("envoy")
        configs = [build_outbound(mesh, builders.proxy(echo)), build_sidecar(mesh, echo)]
        config = static_bootstrap(configs, secrets, admin=str(folder / "admin.sock"))
        start_envoy(stack, envoy, folder, echo, config)
        yield Guarded(f"{own}.1")


DENIED = (403, "RBAC: access denied")


@pytest.mark.parametrize("path", ["/open", "/open/x?q=1", "/openly"])
def test_what_a_rule_allows_is_let_in(guarded: Guarded, path: str) -> None:
    assert guarded.ask(path)[0] == 200


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/", {}),
        ("/ope", {}),
        ("/open", {"method": "DELETE"}),
        ("/open", {"host": "a.EVIL.test"}),
        ("/open", {"x_bad": "12"}),
        ("/mine", {}),
    ],
)
def test_what_none_allows_or_one_denies_is_not(
    guarded: Guarded, path: str, how: dict[str, str]
) -> None:
    assert guarded.ask(path, **how) == DENIED


def test_a_denial_that_asks_for_an_identity_does_not_hold_in_plain(guarded: Guarded) -> None:
    """The fifth rule of DENY: over a plain connection nobody is of any namespace."""
    assert guarded.ask("/open", x_bad="2")[0] == 200


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_opens_what_is_its_own(guarded: Guarded) -> None:
    token = INLINE.token("i.test", groups=["staff", "more"])
    status, body = guarded.ask("/mine", **_bearer(token))
    assert status == 200
    assert json.loads(body)["x-sub"] == "me"
    assert "authorization" not in json.loads(body), "forwardOriginalToken is off"
    assert guarded.ask("/theirs", **_bearer(token)) == DENIED


def test_a_claim_that_is_a_text_counts_like_a_list_of_one(guarded: Guarded) -> None:
    assert guarded.ask("/mine", **_bearer(INLINE.token("i.test", groups="staff")))[0] == 200
    assert guarded.ask("/mine", **_bearer(INLINE.token("i.test", groups="guest"))) == DENIED
    assert guarded.ask("/mine", **_bearer(INLINE.token("i.test"))) == DENIED


def test_keys_that_were_fetched_check_tokens_too(guarded: Guarded) -> None:
    assert guarded.ask("/theirs", **_bearer(FETCHED.token("keys.test")))[0] == 200
    assert guarded.ask("/theirs", **_bearer(FETCHED.token("keys.test", "you"))) == DENIED


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("x", "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"),
        (STRANGER.token("i.test"), "Jwt verification fails"),
        (FETCHED.token("gone.test"), "Jwt verification fails"),
        (INLINE.token("i.test", seconds=-600), "Jwt is expired"),
        (INLINE.token("stranger.test"), "Jwt issuer is not configured"),
    ],
    ids=["no token", "another key", "keys that could not be had", "expired", "another issuer"],
)
def test_a_bad_token_is_401_even_where_none_is_needed(
    guarded: Guarded, token: str, message: str
) -> None:
    assert guarded.ask("/open", **_bearer(token)) == (401, message)
