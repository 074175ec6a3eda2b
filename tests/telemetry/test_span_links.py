"""One link a call, whoever told of it."""

from __future__ import annotations

import pytest

from meshproof.telemetry.span_links import Link, links
from meshproof.telemetry.span_rows import row_of
from tests.fakes.span_bodies import by_hand


def span(id_: int, parent: int, kind: str, service: str, **more: object) -> dict[str, object]:
    above = {"parentId": f"{parent:016x}"} if parent else {}
    named = {"localEndpoint": {"serviceName": service}}
    return by_hand(id=f"{id_:016x}", **above, **({"kind": kind} if kind else {}), **named, **more)


def to(name: str) -> dict[str, object]:
    return {"remoteEndpoint": {"serviceName": name}}


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([span(1, 0, "SERVER", "a")], [], id="nobody is known to have called"),
        pytest.param([span(1, 0, "SERVER", "a", **to("x"))], [("x", "a", False)], id="remote"),
        pytest.param(
            [span(1, 0, "CLIENT", "a", **to("b")), span(2, 1, "SERVER", "b", tags={"error": ""})],
            [("a", "b", True)],
            id="both sides told: once, with the server's error",
        ),
        pytest.param(
            [span(1, 0, "CLIENT", "a", **to("b"), tags={"error": "no"})],
            [("a", "b", True)],
            id="nobody answered",
        ),
        pytest.param(
            [span(1, 0, "CLIENT", "a"), span(1, 0, "SERVER", "b", shared=True)],
            [("a", "b", False)],
            id="one id for both sides",
        ),
        pytest.param(
            [span(1, 0, "SERVER", "a"), span(2, 1, "", "a"), span(3, 2, "SERVER", "b")],
            [("a", "b", False)],
            id="a local span between",
        ),
        pytest.param(
            [
                span(1, 0, "SERVER", "a.shop"),
                span(2, 1, "SERVER", "a"),
                span(3, 2, "CLIENT", "a", **to("b")),
                span(4, 3, "CLIENT", "a.shop", **to("b.shop")),
                span(5, 4, "SERVER", "b.shop"),
                span(6, 5, "SERVER", "b"),
            ],
            [("a.shop", "b.shop", False)],
            id="apps' spans between their sidecars'",
        ),
        pytest.param(
            [span(1, 2, "", "a"), span(2, 1, "", "a"), span(3, 1, "SERVER", "b")],
            [],
            id="parents that go round",
        ),
    ],
)
def test_links(spans: list[dict[str, object]], expected: list[Link]) -> None:
    assert list(links(map(row_of, spans))) == expected
