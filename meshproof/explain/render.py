"""Renders an explanation as text: the outcomes first, then every step. From plain data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
_WIDTH = 9


def render_text(explanation: Json) -> str:
    """``explanation`` is ``Explanation.as_dict()``."""
    where = "" if explanation["pods"] else ", in a mesh without pods"
    lines = [f"{explanation['request']} from {explanation['from']}{where}", ""]
    lines += _render_outcomes(explanation["outcomes"])
    lines.append("")
    for step in _merge_alike(explanation["steps"]):
        lines += _render_step(step, 0)
    lines += [f"assumed: {assumption}" for assumption in explanation["assumed"]]
    return "\n".join(lines)


def _percent(value: float) -> str:
    """With at most four decimals."""
    return f"{value:.4f}".rstrip("0").rstrip(".") + " %"


def _render_outcomes(outcomes: Sequence[Json]) -> Iterator[str]:
    """A line for each answer; replicas with the same answer share one."""
    groups: dict[str, list[Json]] = {}
    for outcome in outcomes:
        key = json.dumps([outcome[k] for k in ("who", "kind", "status", "location", "rule")])
        groups.setdefault(key, []).append(outcome)
    for same in groups.values():
        chance = _percent(sum(outcome["chance"] for outcome in same))
        yield f"{chance:>{_WIDTH}}  {_render_answer(same)}"


def _render_answer(same: Sequence[Json]) -> str:
    first = same[0]
    if first["kind"] == "app":
        replicas = ", ".join(dict.fromkeys(o["replica"] for o in same))
        return f"{first['who']} answers ({replicas})"
    if first["kind"] == "outside":
        return f"{first['who']}, a host outside, answers"
    if first["kind"] == "tunnel":
        return f"a tunnel to {first['who']}: what is in it is between client and server"
    rule = f"; {format_rule(first['rule'])}" if first["rule"] else ""
    status = "closed" if first["kind"] == "closed" else f"{first['status']} from the mesh"
    body = f' ("{first["body"]}")' if first["body"] and "\n" not in first["body"] else ""
    return f"{status}{body}: {first['why']}{rule}"


def format_rule(rule: Json) -> str:
    """``VirtualService payments/svcb spec.http[0] (rules/x.yaml:12)``."""
    text = f"{rule['kind']} {rule['namespace']}/{rule['name']} {rule['field']}".rstrip()
    return f"{text} ({rule['file']}:{rule['line']})" if rule["file"] else text


def _render_step(step: Json, depth: int) -> Iterator[str]:
    pad = "  " * depth
    chance = f"{_percent(step['chance'])}  " if step["chance"] < 100 else ""
    at = f"{step['at']}: " if step["at"] else ""
    yield f"{pad}{chance}{at}{step['says']}"
    for skipped in step["passed"]:
        yield f"{pad}  not {skipped['route']}: {skipped['why']}"
    for note in step["notes"]:
        yield f"{pad}  {note}"
    for branch in _merge_alike(step["then"]):
        yield from _render_step(branch, depth + 1)


def _merge_alike(steps: Sequence[Json]) -> list[Json]:
    """Equal steps of several replicas as one step."""
    groups: dict[str, list[Json]] = {}
    for step in steps:
        name = step["at"].rpartition(" ")[0]
        key = json.dumps({**step, "chance": 0, "outcome": None})
        groups.setdefault(key.replace(name, "") if name else key, []).append(step)
    return [_merge_steps(same) for same in groups.values()]


def _merge_steps(same: Sequence[Json]) -> Json:
    if len(same) == 1:
        return same[0]
    names = ", ".join(dict.fromkeys(step["at"].rpartition(" ")[0] for step in same))
    _, _, direction = same[0]["at"].rpartition(" ")
    chance = sum(step["chance"] for step in same)
    return {**same[0], "chance": chance, "at": f"{names} {direction}".strip()}
