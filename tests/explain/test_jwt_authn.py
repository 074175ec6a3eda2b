"""Tokens of requests against providers that the translator builds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from meshproof.explain.jwt_authn import JwtResult, assume_keys, check_requirement
from meshproof.explain.request import Request
from meshproof.model.request_authentication import JWTRule
from meshproof.translate.jwt import build_http_filters
from tests.translate.token_signer import Signer

ME, OTHER = Signer(), Signer()


def check(*rules: dict[str, Any], **headers: str) -> JwtResult:
    return _check([JWTRule.model_validate(rule) for rule in rules], **headers)


def _check(rules: list[JWTRule], **headers: str) -> JwtResult:
    filters: Any = build_http_filters(rules)
    config = filters[0]["typed_config"]
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request("GET", "http", "echo", "/?token=", sent)
    return check_requirement(config, config["requirement_map"]["istio"], request, time.time())


RULE = {"issuer": "me", "jwks": ME.jwks}


@pytest.mark.parametrize(
    ("token", "status", "message"),
    [
        (ME.token("me"), 0, ""),
        (ME.token("me", seconds=-90), 401, "Jwt is expired"),
        (ME.token("me", nbf=int(time.time()) + 900), 401, "Jwt not yet valid"),
        (ME.token("you"), 401, "Jwt issuer is not configured"),
        (OTHER.token("me"), 401, "Jwt verification fails"),
        (
            "a.b",
            401,
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
        ),
        ("a*.b.c", 401, "Jwt header is an invalid Base64url encoded"),
        ("YQ.b.c", 401, "Jwt header is an invalid JSON"),
        (ME.token("me") + "*", 401, "Jwt signature is an invalid Base64url encoded"),
    ],
)
def test_one_issuer(token: str, status: int, message: str) -> None:
    """The tokens are as old as the collection; one that a slow run would age is made below."""
    result = check(RULE, authorization=f"Bearer {token}")
    assert (result.failure, result.status if message else 0) == (message, status)


def test_a_token_is_taken_for_a_while_after_its_end() -> None:
    assert check(RULE, authorization=f"Bearer {ME.token('me', seconds=-30)}").failure == ""


def test_no_token_passes_with_no_claims() -> None:
    assert check(RULE) == JwtResult()


def test_claims_are_left_for_policies() -> None:
    result = check(RULE, authorization=f"Bearer {ME.token('me', 'jason', scope='a b')}")
    assert result.claims["payload"]["sub"] == "jason"
    assert result.claims["payload"]["scope"] == ["a", "b"]


def test_filters_that_follow_see_no_token() -> None:
    result = check(RULE, authorization=f"Bearer {ME.token('me')}", x_other="1")
    assert result.request is not None
    assert result.request.headers == (("x-other", "1"),)


def test_of_two_issuers_the_second_takes_its_token_away() -> None:
    second = {"issuer": "you", "jwks": OTHER.jwks, "outputPayloadToHeader": "x-who"}
    result = check(RULE, second, authorization=f"Bearer {OTHER.token('you')}", x_who="fake")
    assert result.request is not None
    assert [name for name, _ in result.request.headers] == ["x-who"]
    assert result.request.get("x-who") != "fake"


def test_audiences_are_compared_without_scheme_and_slash() -> None:
    rule = {**RULE, "audiences": ["https://shop/"]}
    assert not check(rule, authorization=f"Bearer {ME.token('me', aud='shop')}").failure
    result = check(rule, authorization=f"Bearer {ME.token('me', aud=['bank'])}")
    assert (result.failure, result.status) == ("Audiences in Jwt are not allowed", 403)


def test_of_two_issuers_one_is_enough() -> None:
    second = {"issuer": "you", "jwks": OTHER.jwks}
    assert not check(RULE, second, authorization=f"Bearer {OTHER.token('you')}").failure
    assert check(RULE, second) == JwtResult()
    result = check(RULE, second, authorization=f"Bearer {OTHER.token('me')}")
    assert result.failure == "Jwt verification fails"


def test_a_token_stands_where_the_rule_says() -> None:
    rule = {**RULE, "fromHeaders": [{"name": "x-token", "prefix": "It "}]}
    assert check(rule, x_token=f"It {ME.token('me')}").claims
    assert check(rule, authorization=f"Bearer {ME.token('me')}") == JwtResult()


def test_keys_that_are_elsewhere_are_taken_for_good_and_that_is_said() -> None:
    rule = JWTRule.model_validate({"issuer": "me", "jwksUri": "http://keys.test/jwks"})
    rule = rule.model_copy(update={"jwks": assume_keys("http://keys.test/jwks")})
    result = _check([rule], authorization=f"Bearer {OTHER.token('me')}")
    assert result.assumptions == ("the token is signed by a key of http://keys.test/jwks",)
