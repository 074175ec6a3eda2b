"""Requests as a connection manager has them before it chooses a route. The right values are those
of an Envoy of ours, which was sent these headers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.explain.connection import Peer
from meshproof.explain.downstream import prepare_request
from meshproof.explain.request import Request

PLAIN, MUTUAL = Peer(), Peer("spiffe://cluster.local/ns/a/sa/b", tls=True)


def prepared(peer: Peer = PLAIN, edge: bool = False, /, **headers: str) -> Request:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return prepare_request(
        {"use_remote_address": edge}, Request("GET", "http", "a", "/", sent), peer
    )


@pytest.mark.parametrize(
    "name",
    [
        "x-envoy-retry-on", "x-envoy-max-retries", "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-force-trace", "x-envoy-internal", "x-envoy-original-url", "keep-alive",
    ],
)  # fmt: skip
def test_what_steers_envoy_or_one_hop_ends_here(name: str) -> None:
    assert prepared(**{name: "1"}).get(name) is None


@pytest.mark.parametrize("name", ["x-envoy-original-path", "x-envoy-external-address", "via"])
def test_other_headers_stay(name: str) -> None:
    assert prepared(**{name: "1"}).get(name) == "1"


def test_te_tells_of_trailers_alone() -> None:
    assert prepared(te="gzip").get("te") is None
    assert prepared(te="trailers").get("te") == "trailers"


def test_only_a_certificate_speaks_for_a_client() -> None:
    assert prepared(x_forwarded_client_cert="fake").get("x-forwarded-client-cert") is None
    sent = prepared(MUTUAL, x_forwarded_client_cert="By=one")
    assert sent.get("x-forwarded-client-cert") == "By=one"


@pytest.mark.parametrize(
    ("proto", "scheme"), [("https", "https"), ("HTTPS", "https"), ("http", "http"), ("ftp", "http")]
)
def test_the_scheme_is_what_x_forwarded_proto_says(proto: str, scheme: str) -> None:
    assert prepared(x_forwarded_proto=proto).scheme == scheme


def test_the_scheme_of_a_request_line_stands() -> None:
    sent = Request("GET", "http", "a", "/", (("x-forwarded-proto", "https"),), absolute_form=True)
    assert prepare_request({}, sent, PLAIN).scheme == "http"
    assert prepare_request({}, replace(sent, absolute_form=False), PLAIN).scheme == "https"


def test_a_gateway_says_itself_who_called_and_how() -> None:
    sent = prepared(PLAIN, True, x_forwarded_proto="https", x_forwarded_for="203.0.113.9")
    assert (sent.scheme, sent.get("x-forwarded-proto")) == ("http", "http")
    assert sent.get("x-forwarded-for") == "203.0.113.9,127.0.0.1"
