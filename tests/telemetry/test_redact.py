from __future__ import annotations

import base64

from meshproof.telemetry.redact import redact_private_keys, redact_values


def test_private_keys_are_gone_wherever_they_stand() -> None:
    config = {"a": [{"private_key": {"inline_string": "KEY"}, "b": 1}], "c": "private_key"}
    assert redact_private_keys(config) == {
        "a": [{"private_key": "[redacted]", "b": 1}],
        "c": "private_key",
    }


def test_values_are_gone_plain_and_in_base_64() -> None:
    secret = b"hunter2-hunter2"
    text = b"a hunter2-hunter2 b " + base64.b64encode(secret)
    assert redact_values(text, [secret]) == b"a [redacted] b [redacted]"


def test_a_value_that_holds_another_is_gone_whole() -> None:
    assert redact_values(b"secret-and-more", [b"secret", b"secret-and-more"]) == b"[redacted]"


def test_short_ones_stay_for_they_are_no_secrets() -> None:
    assert redact_values(b"true story", [b"true", b""]) == b"true story"
