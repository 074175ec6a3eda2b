"""A recorded request of a real Istio against what ``explain`` says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases import Request
from meshproof.explain import Explanation
from meshproof.explain.result import ANSWERED, Outcome

ALPHA = 1e-6
SERVICES = {"other-v1": "other", "outside.test": "outside"}
"""The app's name behind a workload or host; of all others it is echo."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which a request may be answered, as ``expect`` would word it."""

    chance: float
    status: int
    app: str = ""
    version: str = ""
    path: str = ""
    host: str = ""
    location: str = ""
    body: str = ""


def url(request: Request) -> str:
    sent = request.sent
    host = sent.get("authority") or sent.get("host", "echo")
    return f"http://{host}{sent.get('path', '/')}"


def headers(request: Request) -> list[tuple[str, str]]:
    given: Mapping[str, Any] = request.sent.get("headers") or {}
    return [(k, v) for k, vs in given.items() for v in (vs if isinstance(vs, list) else [vs])]


def answers(said: Explanation) -> list[Answer]:
    return [_answer(chance, outcome) for chance, outcome in said.outcomes()]


def _answer(chance: float, outcome: Outcome) -> Answer:
    if outcome.kind not in ANSWERED:
        return Answer(chance, outcome.status or 0, location=outcome.location, body=outcome.body)
    found = re.fullmatch(r"\S+ \w+://([^/]*)(.*)", outcome.received)
    assert found, outcome.received
    app = SERVICES.get(outcome.workload, "echo")
    version = outcome.version or "v0"
    path = re.sub("^/+", "/", found[2])
    return Answer(chance, _by_app(path), app, version, path, found[1])


def _by_app(path: str) -> int:
    """The echo app's own status: what a path asks for."""
    found = re.fullmatch(r"/status/(\d+)", path.partition("?")[0])
    return int(found[1]) if found else 200


def differences(said: Explanation, request: Request) -> list[str]:
    """What of the recorded answer was not foreseen; none where all was."""
    foreseen, expect = answers(said), request.expect
    if "statuses" in expect:
        return list(_many(foreseen, expect))
    told = [a for a in foreseen if not (wrong := list(_one(a, expect)))]
    if told:
        return []
    wrong = [f"{a.status} {a.app} {a.version}: {', '.join(_one(a, expect))}" for a in foreseen]
    return wrong or ["nothing was foreseen"]


def _one(answer: Answer, expect: Mapping[str, Any]) -> Iterator[str]:
    for field in ("status", "app", "version", "path", "host"):
        if field in expect and getattr(answer, field) != expect[field]:
            yield f"{field} is {expect[field]!r}, foreseen {getattr(answer, field)!r}"
    location = (expect.get("response_headers") or {}).get("location", "")
    if location != answer.location:
        yield f"location is {location!r}, foreseen {answer.location!r}"
    if answer.body and answer.body != expect.get("body", answer.body):
        yield f"body is {expect['body']!r}, foreseen {answer.body!r}"


def _many(foreseen: list[Answer], expect: Mapping[str, Any]) -> Iterator[str]:
    yield from _split(
        "status", {str(a.status): 0.0 for a in foreseen}, foreseen, expect["statuses"]
    )
    if versions := expect.get("versions"):
        named = {a.version or "-": 0.0 for a in foreseen}
        yield from _split("version", named, foreseen, versions)


def _split(
    field: str, shares: dict[str, float], foreseen: list[Answer], found: Mapping[str, int]
) -> Iterator[str]:
    from scipy.stats import binomtest  # slow to import

    for answer in foreseen:
        shares[str(getattr(answer, field)) or "-"] += answer.chance
    total = sum(found.values())
    for name in sorted({*shares, *found}):
        share, count = min(shares.get(name, 0.0), 1.0), found.get(name, 0)
        fits = count == 0 if not share else binomtest(count, total, share).pvalue >= ALPHA
        if not fits:
            yield f"{field} {name}: {count} of {total}, foreseen {100 * share:g} %"


def foreseen(said: Explanation, got: Mapping[str, Any]) -> bool:
    """Whether what ``send.py`` brought back is among what was foreseen with a chance."""
    echo = got.get("echo")
    answer = echo if isinstance(echo, dict) else {}
    found: dict[str, Any] = {
        "status": got["status"],
        "app": answer.get("app", ""),
        "version": answer.get("version", ""),
        # Python's server makes one slash of several at the beginning.
        "path": re.sub("^/+", "/", answer.get("path", "")),
        "host": answer.get("headers", {}).get("host", ""),
        "response_headers": got.get("response_headers", {}),
        "body": got.get("body", ""),
    }
    return any(not list(_one(told, found)) for told in answers(said))
