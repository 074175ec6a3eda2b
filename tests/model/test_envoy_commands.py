"""Header values: the form of Envoy's commands, as Istio's parser reads it."""

from __future__ import annotations

import pytest

from meshproof.model.envoy_commands import format_problem


@pytest.mark.parametrize(
    "value",
    [
        "", "plain", "100%%", "%HOSTNAME%", "a %REQ(:path)% b", "%START_TIME(%s.%3f)%",
        "%START_TIME%", "%QUERY_PARAM(x)%", "%PATH(NQ)%", "%METADATA(ROUTE:a:b)%",
        "%REQ_WITHOUT_QUERY(:path)%", '%UPSTREAM_METADATA(["a", "b"])%', "%TRACE_ID%",
        "%HOSTNAME%%PROTOCOL%", "%CEL(request.headers['x'])%", "%REQ(a\\)b)%", "a\tb",
    ],
)  # fmt: skip
def test_what_istio_takes(value: str) -> None:
    assert format_problem(value) == ""


@pytest.mark.parametrize(
    "value",
    ["50%", "%HOSTNAME", "%REQ(a%", "%REQ()%", '%UPSTREAM_METADATA(["a" "b"])%', "%HOSTNAME%%"],
)
def test_a_command_without_an_end(value: str) -> None:
    assert "begins or ends no command" in format_problem(value)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00", "a\x7f"])
def test_a_control_character(value: str) -> None:
    assert "control character" in format_problem(value)
