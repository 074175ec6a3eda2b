"""What counts as the same output, and what does not."""

from __future__ import annotations

import pytest

from tools.doc_runner.compare import FORMS, difference, plain, same


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("live on 4 sidecars after 11 ms\n", "live on 4 sidecars after 1048 ms\n"),
        (
            '{"id":"720691a0-87b2-45d5-bc0e-249470eb7ad3"}',
            '{"id":"31582b5d-3234-4951-a4b7-7b99c4c1f93f"}',
        ),
        ("http://127.216.1.1:8080", "http://127.3.200.19:41235"),
        ("svca-fb036-1   yes   127.216.1.1", "svca-0a12b-13  yes     127.216.100.1  "),
        ("svca-fb036-1 yes", "svca-6d9f8b7c5d-x2x4z yes"),
        (
            '"time": "2026-11-24T07:51:36.997+00:00", "ms": 8.48',
            '"time": "2027-01-01T00:00:00Z", "ms": 12',
        ),
        ("trace 7e178654db84bcbbe5da5d5c236c6aad", "trace f2bc67a15f278c1b0fb25e6ef93cbf6d"),
        ("n=... of 400", "n=203 of 400"),
        ("first\n...\nlast", "first\nlast"),
        ("first\n...\nlast", "first\none\n\nthree\nlast\n"),
        ("...", ""),
        ("really ... so", "really ... so"),
        ("a.c", "a.c"),
        ("live", "15 s: mesh meshproof starts\n30 s: mesh meshproof starts\nlive"),
    ],
)
def test_the_same(wanted: str, found: str) -> None:
    assert same(wanted, found)


def test_on_a_cluster_a_change_is_live_on_every_sidecar() -> None:
    page, run = "live on 3 sidecars after 11 ms", "live on 4 sidecars after 1.2 s"
    assert same(page, run, on_cluster=True)
    assert not same(page, run)
    assert not same(page, "live on no sidecars after 1.2 s", on_cluster=True)
    assert same("svca   yes   127.55.1.1", "svca   yes   10.244.0.24", on_cluster=True)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("live on 4 sidecars after 11 ms", "live on 3 sidecars after 11 ms"),
        ("live after 11 ms", "live after 11 hours"),
        ('"notified":true', '"notified":false'),
        ("127.0.0.1", "10.100.35.27"),
        ("10.100.35.27", "10.100.35.28"),
        ("svcb-v0.1-5a050-1", "svcb-v0.2-5a050-1"),
        ("n=... of 400", "n=203 of\n400"),
        ("first\n...\nlast", "first\nlast\nmore"),
        ("one\ntwo", "two\none"),
        ("one", "one\nwarning: two"),
        ("one\ntwo", "one"),
        ("", "something"),
        ("something", ""),
        ("a.c", "abc"),
        ("  indented", "indented"),
    ],
)
def test_not_the_same(wanted: str, found: str) -> None:
    assert not same(wanted, found)


def test_every_form_is_of_use() -> None:
    text = (
        "720691a0-87b2-45d5-bc0e-249470eb7ad3 2026-11-24T07:51:36Z 7e178654db84bcbb 127.0.0.1:80 "
        'svca-fb036-1 1.5 s "ms": 8 14:48:39.742'
    )
    assert [name for name in FORMS if f"<{name}>" not in plain(text)] == []


def test_a_difference_shows_both() -> None:
    assert difference("a\nb\n", "a\nc\n").splitlines()[-3:] == [" a", "-b", "+c"]
