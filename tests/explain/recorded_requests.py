"""Compares a recorded request of a real Istio with its explanation. Pure."""

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
    """Of the host that the client connects to."""
    return f"http://{request.sent.get('host', 'echo')}{request.sent.get('path', '/')}"


def headers(request: Request) -> list[tuple[str, str]]:
    """With the Host that it sends, if that is another."""
    headers: Mapping[str, Any] = request.sent.get("headers") or {}
    if "authority" in request.sent:
        headers = {**headers, "host": request.sent["authority"]}
    return [(k, v) for k, vs in headers.items() for v in (vs if isinstance(vs, list) else [vs])]


def answers(explanation: Explanation) -> list[Answer]:
    return [_answer(chance, outcome) for chance, outcome in explanation.outcomes()]


def _answer(chance: float, outcome: Outcome) -> Answer:
    if outcome.kind not in ANSWERED:
        return Answer(chance, outcome.status or 0, location=outcome.location, body=outcome.body)
    result = re.fullmatch(r"\S+ \w+://([^/]*)(.*)", outcome.received)
    assert result, outcome.received
    app = SERVICES.get(outcome.workload, "echo")
    version = outcome.version or "v0"
    path = re.sub("^/+", "/", result[2])
    return Answer(chance, _by_app(path), app, version, path, result[1])


def _by_app(path: str) -> int:
    """The echo app's own status: what a path asks for."""
    result = re.fullmatch(r"/status/(\d+)", path.partition("?")[0])
    return int(result[1]) if result else 200


def differences(explanation: Explanation, request: Request) -> list[str]:
    """What of the recorded answer was not foreseen; none where all was."""
    is_predicted, expect = answers(explanation), request.expect
    if "statuses" in expect:
        return list(_many(is_predicted, expect))
    message = [a for a in is_predicted if not (wrong := list(_one(a, expect)))]
    if message:
        return []
    wrong = [f"{a.status} {a.app} {a.version}: {', '.join(_one(a, expect))}" for a in is_predicted]
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


def _many(is_predicted: list[Answer], expect: Mapping[str, Any]) -> Iterator[str]:
    yield from _split(
        "status", {str(a.status): 0.0 for a in is_predicted}, is_predicted, expect["statuses"]
    )
    if versions := expect.get("versions"):
        named = {a.version or "-": 0.0 for a in is_predicted}
        yield from _split("version", named, is_predicted, versions)


def _split(
    field: str, shares: dict[str, float], is_predicted: list[Answer], result: Mapping[str, int]
) -> Iterator[str]:
    from scipy.stats import binomtest  # slow to import

    for answer in is_predicted:
        shares[str(getattr(answer, field)) or "-"] += answer.chance
    total = sum(result.values())
    for name in sorted({*shares, *result}):
        share, count = min(shares.get(name, 0.0), 1.0), result.get(name, 0)
        fits = count == 0 if not share else binomtest(count, total, share).pvalue >= ALPHA
        if not fits:
            yield f"{field} {name}: {count} of {total}, foreseen {100 * share:g} %"


def is_predicted(explanation: Explanation, got: Mapping[str, Any]) -> bool:
    """Whether what ``send.py`` brought back is among what was foreseen with a chance."""
    echo = got.get("echo")
    answer = echo if isinstance(echo, dict) else {}
    result: dict[str, Any] = {
        "status": got["status"],
        "app": answer.get("app", ""),
        "version": answer.get("version", ""),
        # Python's server makes one slash of several at the beginning.
        "path": re.sub("^/+", "/", answer.get("path", "")),
        "host": answer.get("headers", {}).get("host", ""),
        "response_headers": got.get("response_headers", {}),
        "body": got.get("body", ""),
    }
    return any(not list(_one(message, result)) for message in answers(explanation))
