"""A trace as text: beneath the parent, a bar where it lay, whatever somebody sent."""

from __future__ import annotations

from meshproof.telemetry import zipkin_proto
from meshproof.telemetry.waterfall import WIDTH, bar, rows, summary
from meshproof.telemetry.zipkin_json import Raw
from tests.fakes.span_bodies import by_hand, envoy_body, payment


def raw(*, failed: bool = False) -> list[Raw]:
    return list(zipkin_proto.read_raw(envoy_body(payment(1, failed=failed))))


def test_each_span_is_beneath_its_parent_with_its_time() -> None:
    result = rows(raw(failed=True)[::-1])
    assert [row[0] for row in result] == [
        "gateway.istio-system",
        "  svca.payments",
        "    svca.payments",
        "      svcb.payments",
        "        svcb.payments",
    ]
    assert result[0][3:] == ("=" * WIDTH, "0.0 ms", "9.0 ms", "-")
    assert result[4][3:] == ("." * 17 + "=" * 23, "4.0 ms", "5.0 ms", "503")


def test_a_summary() -> None:
    assert summary(raw(failed=True), "noon") == (
        f"{1:032x}",
        "noon",
        "9.0 ms",
        "5",
        "1",
        "-",
        "gateway.istio-system svca.payments.svc.cluster.local:80/*",
    )


def test_bars() -> None:
    assert bar(0, 0, 0) == "=" * WIDTH
    assert bar(100, 0, 100) == "." * (WIDTH - 1) + "="
    assert len(bar(99, 1, 100)) == WIDTH


def test_spans_that_share_an_id_or_name_each_other_are_all_shown() -> None:
    client, server = by_hand(kind="CLIENT"), by_hand(kind="SERVER", shared=True)
    assert [row[1] for row in rows([server, client])] == ["CLIENT", "SERVER"]
    first, second = by_hand(id="a" * 16, parentId="b" * 16), by_hand(id="b" * 16, parentId="a" * 16)
    assert len(rows([first, second])) == 2
