"""Unquoted texts mean what they mean to kubectl (go-yaml v2, then JSON)."""

from __future__ import annotations

import math

import pytest

from meshproof.sources.scalars import plain


@pytest.mark.parametrize("text", ["y", "Y", "yes", "YES", "on", "On", "true", "TRUE"])
def test_words_that_are_true(text: str) -> None:
    assert plain(text) is True


@pytest.mark.parametrize("text", ["n", "N", "no", "NO", "off", "Off", "false", "False"])
def test_words_that_are_false(text: str) -> None:
    assert plain(text) is False


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_words_that_are_nothing(text: str) -> None:
    assert plain(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("50", 50),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("017", 15),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("08", 8),  # no octal, so a float, which JSON writes as 8
        ("8.0", 8),
        ("1e3", 1000),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_whole_numbers(text: str, value: int) -> None:
    assert plain(text) == value
    assert isinstance(plain(text), int)


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 0.5), (".5", 0.5), ("-1.5e-3", -0.0015), ("1e300", 1e300)]
)
def test_fractions(text: str, value: float) -> None:
    assert plain(text) == value
    assert isinstance(plain(text), float)


def test_infinity_and_nan() -> None:
    assert plain("-.Inf") == -math.inf
    assert math.isnan(plain(".NaN"))  # type: ignore[arg-type]  # a float, as just read


@pytest.mark.parametrize(
    "text",
    ["yEs", "v0.1", "1.2.3", "2018-01-02", "2018-01-02T15:04:05Z", "1:30", "0x", "-", "1e", "_1"],
)
def test_everything_else_stays_a_text(text: str) -> None:
    assert plain(text) == text
