"""A case: rules, requests in order, and what came back on Istio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

RUN = "{run}"
"""Stands in a path for a token that is new in every run of a case."""


@dataclass(frozen=True, slots=True)
class Request:
    """``sender`` is the workload; ``sent`` is what ``send.py`` reads, ``{run}`` not yet filled."""

    sender: str
    sent: Mapping[str, Any]
    expect: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.sent["id"])


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    file: str
    rules: str
    requests: tuple[Request, ...]


def load(paths: Sequence[Path]) -> list[Case]:
    """The cases of files and folders, in the order of their names.

    Raises ValueError where a file is not a case: a run that judges nothing must not look like one
    that agrees.
    """
    files = [
        f for path in paths for f in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])
    ]
    return [case for file in files for case in _cases(file)]


def _cases(file: Path) -> Iterator[Case]:
    """The one case of a file, or those below ``cases``; ``shared`` precedes the rules of each."""
    value = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or not value.get("cases"):
        yield _case(file, value)
        return
    for raw in value["cases"]:
        case = _case(file, raw)
        parts = [part for part in (value.get("shared"), case.rules) if part]
        yield replace(case, rules="---\n".join(parts))


def _case(file: Path, value: Any) -> Case:
    if not isinstance(value, dict) or not value.get("requests"):
        raise ValueError(f"{file}: holds no requests; wanted a mapping with name, rules, requests")
    return Case(value["name"], str(file), value.get("rules") or "", tuple(_requests(file, value)))


def _requests(file: Path, value: Mapping[str, Any]) -> Iterator[Request]:
    for index, raw in enumerate(value["requests"]):
        if not raw.get("expect"):
            raise ValueError(f"{file}: requests[{index}] expects nothing; wanted an expect")
        sent = {k: v for k, v in raw.items() if k not in ("from", "expect")}
        yield Request(raw["from"], {"id": str(index), **sent}, raw["expect"])


def batches(case: Case) -> Iterator[list[Request]]:
    """Requests that follow one another from one workload go in one call of ``send.py``."""
    batch: list[Request] = []
    for request in case.requests:
        if batch and batch[0].sender != request.sender:
            yield batch
            batch = []
        batch.append(request)
    yield batch


def filled(request: Request, token: str) -> dict[str, Any]:
    """The request as ``send.py`` reads it."""
    path = str(request.sent.get("path", "/")).replace(RUN, token)
    return {**request.sent, "path": path}
