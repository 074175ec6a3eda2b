"""Signatures of tokens: Envoy's algorithms, and which keys are tried."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from meshproof.explain.jws import decode, signature_failure
from tests.translate.token_signer import Signer

ALGORITHMS = get_default_algorithms()
RSA_KEY = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA_KEY),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    **dict.fromkeys(
        ("HS256", "HS384", "HS512"), b"a key of sixty-four bytes, as HS512 wants it".ljust(64)
    ),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
ME = Signer()


def jwk(algorithm: str, key: Any) -> dict[str, Any]:
    public = key if isinstance(key, bytes) else key.public_key()
    return dict(ALGORITHMS[algorithm].to_jwk(public, as_dict=True))


def jwks(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


def is_signed(token: str, keys: str) -> bool:
    return not signature_failure(token, keys)


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_algorithm_of_envoy_is_verified(algorithm: str) -> None:
    key = KEYS[algorithm]
    token = jwt.encode({"iss": "me"}, key, algorithm)
    assert is_signed(token, jwks(jwk(algorithm, key)))
    assert is_signed(token, jwks({"kty": "none"}, jwk(algorithm, key))), "one of several"
    header, _, signature = token.split(".")
    other = base64.urlsafe_b64encode(b'{"iss": "you"}').rstrip(b"=").decode()
    assert not is_signed(f"{header}.{other}.{signature}", jwks(jwk(algorithm, key)))


def test_a_private_key_in_the_set_counts_as_its_public_half() -> None:
    token = jwt.encode({"iss": "me"}, RSA_KEY, "RS256")
    private = dict(ALGORITHMS["RS256"].to_jwk(RSA_KEY, as_dict=True))
    assert is_signed(token, jwks(private))


def test_a_key_of_another_id_or_kind_does_not_count() -> None:
    token = ME.token("me")
    assert is_signed(token, ME.jwks)
    assert not is_signed(token, ME.jwks.replace('"one"', '"two"'))
    assert not is_signed(token, ME.jwks.replace('"EC"', '"RSA"'))
    assert not is_signed(token, ME.jwks.replace('"ES256"', '"ES384"'))
    assert not is_signed(token, '{"keys": []}')


def test_a_key_without_id_and_algorithm_is_tried() -> None:
    (key,) = json.loads(ME.jwks)["keys"]
    assert is_signed(ME.token("me"), jwks({k: key[k] for k in ("kty", "crv", "x", "y")}))


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "P-256"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "***", "y": "AA"},
        jwk("ES384", KEYS["ES384"]),
    ],
)
def test_a_key_that_is_none_is_left_out(key: dict[str, Any]) -> None:
    (good,) = json.loads(ME.jwks)["keys"]
    assert not is_signed(ME.token("me"), jwks(key))
    assert is_signed(ME.token("me"), jwks(key, good))


def test_coordinates_without_leading_zeros_are_taken_as_envoy_takes_them() -> None:
    for number in range(1, 2000):
        key = ec.derive_private_key(number, ec.SECP256R1())
        x = key.public_key().public_numbers().x
        if x.bit_length() <= 248:
            break
    short = base64.urlsafe_b64encode(x.to_bytes(31)).rstrip(b"=").decode()
    result = {**jwk("ES256", key), "x": short}
    assert is_signed(jwt.encode({}, key, "ES256"), jwks(result))


def test_a_curve_that_envoy_does_not_implement_is_not_verified() -> None:
    key = ed448.Ed448PrivateKey.generate()
    assert not is_signed(jwt.encode({}, key, "EdDSA"), jwks(jwk("EdDSA", key)))


def test_a_token_of_another_key_is_told_from_one_that_no_key_is_for() -> None:
    token = jwt.encode({}, KEYS["ES256"], "ES256", headers={"kid": "one"})
    assert signature_failure(token, ME.jwks) == "Jwt verification fails"
    other = ME.jwks.replace('"one"', '"two"')
    assert signature_failure(token, other) == "Jwks doesn't have key to match kid or alg from Jwt"


@pytest.mark.parametrize(
    ("header", "claims", "failure"),
    [
        ({"alg": "none"}, {}, "Jwt header [alg] is not supported"),
        ({"alg": "ES256K"}, {}, "Jwt header [alg] is not supported"),
        ({}, {}, "Jwt header [alg] field is required and must be a string"),
        ({"alg": 3}, {}, "Jwt header [alg] field is required and must be a string"),
        ({"alg": "RS256", "kid": 3}, {}, "Jwt header [kid] field is not a string"),
        ({"alg": "RS256"}, {"iss": 3, "sub": 3}, "Jwt payload [iss] field is not a string"),
        ({"alg": "RS256"}, {"sub": 3, "exp": "x"}, "Jwt payload [sub] field is not a string"),
        ({"alg": "RS256"}, {"jti": 3}, "Jwt payload [jti] field is not a string"),
        ({"alg": "RS256"}, {"exp": "1", "iat": "1"}, "Jwt payload [iat] field is not an integer"),
        ({"alg": "RS256"}, {"nbf": True}, "Jwt payload [nbf] field is not an integer"),
        (
            {"alg": "RS256"},
            {"exp": -1},
            "Jwt payload [exp] field is not a positive 64 bit integer",
        ),
        (
            {"alg": "RS256"},
            {"exp": 1e30},
            "Jwt payload [exp] field is not a positive 64 bit integer",
        ),
        ({"alg": "RS256"}, {"aud": 3}, "Jwt payload [aud] field is not a string or string list"),
        (
            {"alg": "RS256"},
            {"aud": ["a", 3]},
            "Jwt payload [aud] field is not a string or string list",
        ),
    ],
)
def test_what_no_token_of_envoy_s_may_be(
    header: dict[str, Any], claims: dict[str, Any], failure: str
) -> None:
    """Envoy's own words, as an Envoy of ours gave them."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, claims)
    ]
    with pytest.raises(ValueError, match="Jwt") as error:
        decode(".".join([*parts, "c2ln"]))
    assert str(error.value) == failure


def test_a_signature_must_be_there() -> None:
    token, _, _ = ME.token("me").rpartition(".")
    with pytest.raises(ValueError, match="two dots and 3 sections"):
        decode(f"{token}.")
