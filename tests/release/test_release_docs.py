"""docs/release.md says of options, defaults and simulated versions what the code says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from meshproof.cli.commands.release import release
from meshproof.release.judge import Limits
from tools.release_simulation import SCENARIOS

TEXT = (Path(__file__).parents[2] / "docs" / "release.md").read_text(encoding="utf-8")
DEFAULT = re.compile(r"^\| `(--[a-z-]+)` \|.*\| `?([\d.,]+)`? \|$", re.MULTILINE)


def option(parameter: str) -> str:
    return "--" + parameter.strip("_").replace("_", "-")


def test_every_option_is_in_the_table_and_its_default_too() -> None:
    parameters = inspect.signature(release).parameters
    rows = set(re.findall(r"`(--[a-z-]+)`", TEXT))
    assert {option(name) for name in parameters} - {"--service"} <= rows
    stated = dict(DEFAULT.findall(TEXT))
    assert len(stated) >= 8
    for name, parameter in parameters.items():
        if option(name) in stated and isinstance(parameter.default, int | float):
            assert float(stated[option(name)]) == parameter.default
    assert stated["--steps"] == parameters["steps"].default


def test_the_figures_are_of_the_scenarios_that_are_simulated() -> None:
    rows = re.findall(r"^\| ([^|]+) \| \d+ of \d+ ", TEXT, re.MULTILINE)
    assert rows == [scenario.name for scenario in SCENARIOS]


def test_the_looks_are_as_stated() -> None:
    limits = Limits()
    text = " ".join(TEXT.split())
    assert f"{limits.growth:g} times the calls of the previous look" in text
    assert f"starting at {limits.first_look} calls, at most {limits.looks} times per step" in text
    assert f"undecided after {limits.looks} looks" in text
