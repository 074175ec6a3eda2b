from __future__ import annotations

import base64
import json

import pytest

from meshproof.telemetry.redact import redact_private_keys, redact_values


@pytest.mark.parametrize(
    "value",
    [
        {"inline_string": "KEY"},
        {"inline_string": 'KEY with "quotes", \\ and }'},
        {"filename": "KEY", "watched_directory": {"path": "/KEY}"}},
        "KEY",
        {"deeper": {"than": {"Envoy's": "KEY"}}},
        ["KEY"],
    ],
)
def test_private_keys_are_gone_wherever_they_stand(value: object) -> None:
    config = {"a": [{"private_key": value, "b": 1}], "c": "private_key", "d": '"private_key": 5'}
    for indent in (None, 1):
        redacted = redact_private_keys(json.dumps(config, indent=indent).encode())
        assert b"KEY" not in redacted
        assert json.loads(redacted) == {
            "a": [{"private_key": "[redacted]", "b": 1}],
            "c": "private_key",
            "d": '"private_key": 5',
        }


def test_a_text_without_keys_stays_as_it_is() -> None:
    assert redact_private_keys(b'{"a":\n  1}') == b'{"a":\n  1}'


def test_values_are_gone_plain_and_in_base_64() -> None:
    secret = b"hunter2-hunter2"
    text = b"a hunter2-hunter2 b " + base64.b64encode(secret)
    assert redact_values(text, [secret]) == b"a [redacted] b [redacted]"


def test_a_value_that_holds_another_is_gone_whole() -> None:
    assert redact_values(b"secret-and-more", [b"secret", b"secret-and-more"]) == b"[redacted]"


def test_short_ones_stay_for_they_are_no_secrets() -> None:
    assert redact_values(b"true story", [b"true", b""]) == b"true story"
