"""What came back against what came back on Istio. Pure: two mappings in, differences out.

``expect`` and ``got`` are as recorded/README.md says; ``got`` is one entry of what ``send.py``
prints. Counts of several requests are compared within sampling error: exactly where Istio gave
all to one, else by Fisher's exact test, since the recorded counts are themselves a sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ALPHA = 1e-6
"""How often two samples of one split are called different, a case."""
_NOISE = ("x-envoy-", "server", "date", "content-type", "content-length", "x-app")
_CLOSED = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")
Counts = Mapping[str, int]


def differences(case: str, expect: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Each difference as ``field: is X; Istio Y``; none where they agree."""
    if "statuses" in expect:
        return list(_many(case, expect, got))
    return list(_one(expect, got))


def _one(expect: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    echo = got.get("echo")
    answer = echo if isinstance(echo, dict) else {}
    headers = answer.get("headers", {})
    differences = {
        "status": got.get("status"),
        "error": expect.get("error") if _both_closed(expect, got) else got.get("error"),
        "body": got.get("body"),
        "host": headers.get("host"),
        **{k: answer.get(k) for k in ("app", "version", "path", "method", "count")},
    }
    for field, value in differences.items():
        if field in expect and expect[field] != value:
            yield _differs(field, value, expect[field])
    if "status" not in expect or expect.get("status") == got.get("status"):
        yield from _headers("received", expect.get("received", {}), headers)
        yield from _response_headers(expect, got)
    yield from _seconds(expect, got.get("seconds", 0.0))


def _both_closed(expect: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    """Whether the other end closed both connections. Which of its errors Python reports depends on
    whether the request reached the other end's kernel before it closed."""
    return expect.get("error") in _CLOSED and got.get("error") in _CLOSED


def _differs(field: str, found: object, wanted: object) -> str:
    return f"{field}: is {found!r}; Istio {wanted!r}"


def _headers(field: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield _differs(f"{field} {name}", found.get(name), value)


def _response_headers(expect: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    """Those recorded; where any are, there must be no others either but those of the noise."""
    wanted = expect.get("response_headers")
    if wanted is None:
        return
    headers = got.get("response_headers", {})
    yield from _headers("response header", wanted, headers)
    for name in sorted(set(headers) - set(wanted)):
        if not name.startswith(_NOISE):
            yield _differs(f"response header {name}", headers[name], None)


def _seconds(expect: Mapping[str, Any], seconds: float) -> Iterator[str]:
    least, most = expect.get("seconds_at_least", 0.0), expect.get("seconds_at_most", seconds)
    if not least <= seconds <= most:
        wanted = f"at least {least}" if seconds < least else f"at most {most}"
        yield f"seconds: is {seconds}; Istio {wanted}"


def _many(case: str, expect: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    statuses, versions = got.get("statuses", {}), got.get("versions", {})
    if case.startswith("dr-overflow"):
        if set(statuses) != set(expect["statuses"]):
            yield _differs("statuses", sorted(statuses), sorted(expect["statuses"]))
    elif case.startswith("dr-outlier"):
        yield from _until_ejected(expect, statuses, versions)
    elif case.startswith("dr-sticky"):
        yield from _split("statuses", statuses, expect["statuses"])
        if len(expect.get("versions", {})) == 1 and len(versions) != 1:
            yield _differs("versions", versions, "one of them alone")
    else:
        yield from _split("statuses", statuses, expect["statuses"])
        yield from _split("versions", versions, expect.get("versions", versions))


def _until_ejected(expect: Mapping[str, Any], statuses: Counts, versions: Counts) -> Iterator[str]:
    """How many an ejected host still gets depends on the moment: every version must have failed,
    and after that the mesh itself may answer 503 already."""
    if not set(statuses) <= {*expect["statuses"], "503"}:
        yield _differs("statuses", statuses, expect["statuses"])
    unseen = sorted(set(expect.get("versions", {})) - set(versions))
    if unseen:
        yield _differs("versions", versions, expect["versions"])


def _split(field: str, found: Counts, wanted: Counts) -> Iterator[str]:
    """Shares of the same kind; what Istio gave all or nothing must be all or nothing here."""
    n, m = sum(found.values()), sum(wanted.values())
    for key in sorted({*found, *wanted}):
        k, j = found.get(key, 0), wanted.get(key, 0)
        if j in (0, m):
            same = k == (n if j else 0)
        else:
            from scipy.stats import fisher_exact  # noqa: PLC0415  # slow to import

            same = fisher_exact([[k, n - k], [j, m - j]]).pvalue >= ALPHA
        if not same:
            yield f"{field}: {key} {k} of {n}; Istio {j} of {m}"
