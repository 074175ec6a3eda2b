"""JWT rules that are refused."""

from __future__ import annotations

import pytest

from meshproof.model.reader import read_text
from tests.model.security import HEAD, TOKENS, refusal
from tests.translate.policy_builders import JWKS


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ("{audiences: [a]}", "spec.jwtRules[0]", "neither issuer nor jwksUri"),
        (f"{{jwks: '{JWKS}'}}", "spec.jwtRules[0]", "neither issuer nor jwksUri"),
        ("{issuer: a, jwks: x}", "spec.jwtRules[0].jwks", "not a JSON web key set"),
        ("{issuer: a, jwks: '{\"keys\": [{}]}'}", "spec.jwtRules[0].jwks", "no key that Envoy"),
        (f"{{issuer: a, jwks: '{JWKS.replace('ZU1', 'AAA')}'}}", "spec.jwtRules[0].jwks",
         "no key that Envoy"),
        ("{issuer: a, jwksUri: 'ftp://a.test/k'}", "spec.jwtRules[0].jwksUri", "not an address"),
        ("{issuer: a, jwksUri: a.test}", "spec.jwtRules[0].jwksUri", "not an address"),
        (f"{{issuer: '', jwks: '{JWKS}'}}", "spec.jwtRules[0]", "neither issuer nor jwksUri"),
    ],
)  # fmt: skip
def test_a_token_s_rule(rule: str, field: str, message: str) -> None:
    problem = refusal(TOKENS, f"{{jwtRules: [{rule}]}}")
    assert problem.startswith(f"{field}: ")
    assert message in problem


def test_a_good_key_beside_a_bad_one_is_enough() -> None:
    keys = JWKS.replace("[{", "[{}, {")
    spec = f"{{jwtRules: [{{issuer: a, jwks: '{keys}'}}]}}"
    assert read_text(HEAD.format(kind=TOKENS, more="") + f"spec: {spec}\n", "f.yaml")


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("{issuer: 'https://a.test/x/'}", "https://a.test/x/.well-known/openid-configuration"),
        ("{issuer: a, jwksUri: 'https://b.test/k'}", "https://b.test/k"),
        ("{jwksUri: 'http://b.test:81/k'}", "http://b.test:81/k"),
    ],
)
def test_where_keys_are_asked_for(rule: str, url: str) -> None:
    text = HEAD.format(kind=TOKENS, more="") + f"spec: {{jwtRules: [{rule}]}}\n"
    (resource,) = read_text(text, "f.yaml")
    assert resource.spec.jwt_rules[0].key_source.url == url
