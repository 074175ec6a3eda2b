from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from bench.figures import Figure, Part, at_least, at_most
from bench.table import plain, show, value_text

PARTS = [
    Part(
        "tax",
        [
            Figure("throughput", 0.67, "", at_least(0.85), "10 rounds"),
            Figure("added a hop", 0.9, "ms", at_most(1)),
            Figure("rate", 182.0, "/s"),
        ],
    ),
    Part("scale", [Figure("up", 24.4, "s", at_most(20))]),
]


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (0, "", "0"),
        (5.0, "s", "5 s"),
        (0.6699, "", "0.670"),
        (4.7012, "ms", "4.70 ms"),
        (22.49, "ms", "22.5 ms"),
        (182.4, "/s", "182 /s"),
        (8470.4, "ms", "8,470 ms"),
        (12000, "", "12,000"),
        (math.nan, "s", "none"),
    ],
)
def test_values_have_three_digits(value: float, unit: str, wanted: str) -> None:
    assert value_text(Figure("f", value, unit)) == wanted


def test_plain_lines_say_what_is_missed() -> None:
    lines = plain(PARTS).splitlines()
    assert [line.split()[0] for line in lines] == [
        "tax",
        "throughput",
        "added",
        "rate",
        "scale",
        "up",
    ]
    assert "at least 0.85" in lines[1]
    assert "MISSED" in lines[1]
    assert lines[1].endswith("10 rounds")
    assert "MISSED" not in lines[2]
    assert "met" in lines[2]
    assert "met" not in lines[3]
    assert "MISSED" in lines[5]


def test_columns_line_up_across_parts() -> None:
    lines = [line for line in plain(PARTS).splitlines() if "at " in line]
    assert len({line.index("at ") for line in lines}) == 1


def test_a_pipe_gets_plain_lines_and_a_terminal_a_table() -> None:
    pipe, terminal = io.StringIO(), io.StringIO()
    show(PARTS, "2 cores", Console(file=pipe))
    show(PARTS, "2 cores", Console(file=terminal, force_terminal=True, width=120))
    assert pipe.getvalue() == f"2 cores\n{plain(PARTS)}\n"
    assert "MISSED" in terminal.getvalue()
    assert "─" in terminal.getvalue() or "━" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()


def test_long_lines_of_a_pipe_are_not_broken() -> None:
    out = io.StringIO()
    long = Part("p", [Figure("f" * 90, 1.0, "s", at_most(2), "n" * 90)])
    show([long], "m", Console(file=out, width=80))
    assert len(out.getvalue().splitlines()) == 3
