"""Peer metadata: what a proxy tells the one that it calls."""

from __future__ import annotations

from typing import Any

from meshproof.translate.envoy_config import build_sidecar
from meshproof.translate.peer_metadata import HEADER
from tests.translate.builders import ECHO, world


def _manager(listener: str) -> dict[str, Any]:
    listeners: Any = build_sidecar(world(), ECHO[0]).listeners[listener]
    result: dict[str, Any] = listeners["filter_chains"][0]["filters"][0]["typed_config"]
    return result


def test_what_leaves_says_who_sent_it_whatever_the_client_wrote() -> None:
    (extension,) = _manager("outbound")["early_header_mutation_extensions"]
    (mutation,) = extension["typed_config"]["mutations"]
    append = mutation["append"]
    assert (append["header"]["key"], append["append_action"]) == (
        HEADER,
        "OVERWRITE_IF_EXISTS_OR_ADD",
    )
    assert append["header"]["value"] == "echo-v1;default;echo;v1"


def test_what_comes_in_loses_the_header_before_anybody_else_sees_it() -> None:
    manager = _manager("inbound|8080||")
    assert "early_header_mutation_extensions" not in manager
    (rule,) = manager["http_filters"][0]["typed_config"]["request_rules"]
    assert (rule["header"], rule["remove"]) == (HEADER, True)
    assert rule["on_header_missing"]["value"] == "unknown;unknown;unknown;unknown"
