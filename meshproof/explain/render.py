"""An explanation to be read: what happens first, then step by step why. From plain data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
_WIDTH = 9


def text(said: Json) -> str:
    """``said`` is ``Explanation.as_dict()``."""
    lines = [f"{said['request']} from {said['from']}", ""]
    lines += _outcomes(said["outcomes"])
    lines.append("")
    for step in _alike(said["steps"]):
        lines += _step(step, 0)
    lines += [f"assumed: {one}" for one in said["assumed"]]
    return "\n".join(lines)


def _percent(value: float) -> str:
    """Four digits behind the point at most."""
    return f"{value:.4f}".rstrip("0").rstrip(".") + " %"


def _outcomes(found: Sequence[Json]) -> Iterator[str]:
    """A line for each answer, whichever replica gives it."""
    groups: dict[str, list[Json]] = {}
    for outcome in found:
        key = json.dumps([outcome[k] for k in ("who", "kind", "status", "location", "rule")])
        groups.setdefault(key, []).append(outcome)
    for same in groups.values():
        chance = _percent(sum(outcome["chance"] for outcome in same))
        yield f"{chance:>{_WIDTH}}  {_answer(same)}"


def _answer(same: Sequence[Json]) -> str:
    first = same[0]
    if first["kind"] == "app":
        replicas = ", ".join(dict.fromkeys(o["replica"] for o in same))
        return f"{first['who']} answers ({replicas})"
    if first["kind"] == "outside":
        return f"{first['who']}, a host outside, answers"
    if first["kind"] == "tunnel":
        return f"a tunnel to {first['who']}: what is in it is between client and server"
    rule = f"; {placed(first['rule'])}" if first["rule"] else ""
    status = "closed" if first["kind"] == "closed" else f"{first['status']} from the mesh"
    body = f' ("{first["body"]}")' if first["body"] and "\n" not in first["body"] else ""
    return f"{status}{body}: {first['why']}{rule}"


def placed(rule: Json) -> str:
    """``VirtualService payments/svcb spec.http[0] (rules/x.yaml:12)``."""
    named = f"{rule['kind']} {rule['namespace']}/{rule['name']} {rule['field']}".rstrip()
    return f"{named} ({rule['file']}:{rule['line']})" if rule["file"] else named


def _step(step: Json, depth: int) -> Iterator[str]:
    pad = "  " * depth
    chance = f"{_percent(step['chance'])}  " if step["chance"] < 100 else ""
    at = f"{step['at']}: " if step["at"] else ""
    yield f"{pad}{chance}{at}{step['says']}"
    for passed in step["passed"]:
        yield f"{pad}  not {passed['route']}: {passed['why']}"
    for note in step["notes"]:
        yield f"{pad}  {note}"
    for then in _alike(step["then"]):
        yield from _step(then, depth + 1)


def _alike(steps: Sequence[Json]) -> list[Json]:
    """Replicas that do the same as one step."""
    groups: dict[str, list[Json]] = {}
    for step in steps:
        name = step["at"].rpartition(" ")[0]
        told = json.dumps({**step, "chance": 0, "outcome": None})
        groups.setdefault(told.replace(name, "") if name else told, []).append(step)
    return [_joined(same) for same in groups.values()]


def _joined(same: Sequence[Json]) -> Json:
    if len(same) == 1:
        return same[0]
    names = ", ".join(dict.fromkeys(step["at"].rpartition(" ")[0] for step in same))
    _, _, direction = same[0]["at"].rpartition(" ")
    chance = sum(step["chance"] for step in same)
    return {**same[0], "chance": chance, "at": f"{names} {direction}".strip()}
