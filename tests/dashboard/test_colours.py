"""Colours: every text stands out from its ground, in both themes (WCAG's contrast)."""

from __future__ import annotations

import re

import pytest

from meshproof.dashboard.server import PAGE

CSS = (PAGE / "base.css").read_text(encoding="utf-8")
PAIRS = [
    ("ink", "card"), ("ink", "ground"), ("ink", "soft"),
    ("faint", "card"), ("faint", "ground"), ("faint", "soft"),
    ("accent", "card"), ("on-accent", "accent"),
    ("good", "card"), ("good", "good-soft"), ("wrong", "card"), ("wrong", "wrong-soft"),
]  # fmt: skip
SERIES = [f"series-{index}" for index in range(6)]


def theme(name: str) -> dict[str, str]:
    """Colours by name; what the dark theme does not say is as in the light one."""
    light, dark = re.findall(r":root(?:\[[^]]*\])? \{(.*?)\n\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return colours | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark if name == "dark" else ""))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_texts_can_be_read(name: str, text: str, ground: str) -> None:
    colours = theme(name)
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("series", SERIES)
def test_curves_can_be_seen(name: str, series: str) -> None:
    colours = theme(name)
    assert contrast(colours[series], colours["card"]) >= 3


def test_curves_differ_by_more_than_colour() -> None:
    chart = (PAGE / "chart.js").read_text(encoding="utf-8")
    for names in ("DASHES", "SYMBOLS"):
        (colours,) = re.findall(rf"const {names} = \[(.*?)\]", chart)
        assert len(set(colours.split(", "))) == len(SERIES)
