"""JWT rules that are refused."""

from __future__ import annotations

import pytest

from meshproof.model.reader import read_text
from tests.model.security import HEAD, TOKENS, refusal
from tests.translate.policy_builders import JWKS


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ("{issuer: a}", "spec.jwtRules[0]", "neither jwks nor jwksUri"),
        ("{issuer: a, jwks: x}", "spec.jwtRules[0].jwks", "not a JSON web key set"),
        ("{issuer: a, jwks: '{\"keys\": [{}]}'}", "spec.jwtRules[0].jwks", "no key that Envoy"),
        (f"{{issuer: a, jwks: '{JWKS.replace('ZU1', 'AAA')}'}}", "spec.jwtRules[0].jwks",
         "no key that Envoy"),
        ("{issuer: a, jwksUri: 'https://a.test/k'}", "spec.jwtRules[0].jwksUri", "is https"),
        ("{issuer: a, jwksUri: a.test}", "spec.jwtRules[0].jwksUri", "not an address"),
        (f"{{issuer: '', jwks: '{JWKS}'}}", "spec.jwtRules[0].issuer", "an empty string"),
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
