"""docker's JSON, asked in the one form that every version understands (``{{json .}}``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from meshproof.cluster.commands import CommandError, Runner

_JSON = ("--format", "{{json .}}")


def inspect(runner: Runner, container: str) -> list[dict[str, Any]]:
    """A container's description; an empty list for none. It raises for any other failure."""
    return _inspected(runner, ("docker", "inspect", container), container)


def inspect_image(runner: Runner, image: str) -> list[dict[str, Any]]:
    return _inspected(runner, ("docker", "image", "inspect", image), image)


def inspect_network(runner: Runner, network: str) -> list[dict[str, Any]]:
    return _inspected(runner, ("docker", "network", "inspect", network), network)


def _inspected(runner: Runner, argv: Sequence[str], what: str) -> list[dict[str, Any]]:
    """Docker prints ``[]`` and ends with 1 where the object is not there."""
    doing = f"asking Docker about {what}"
    said = runner.run(argv, doing, check=False)
    if said.code and said.text.strip() != "[]":
        raise CommandError(said, doing)
    found: list[dict[str, Any]] = json.loads(said.text)
    return found


def containers(runner: Runner, label: str) -> list[str]:
    """Names of all containers with a label, running or not."""
    argv = ("docker", "ps", "-a", "--filter", f"label={label}", *_JSON)
    said = runner.run(argv, f"looking for containers labelled {label}").text
    return sorted(json.loads(line)["Names"] for line in said.splitlines() if line)


def networks(runner: Runner, label: str) -> list[str]:
    argv = ("docker", "network", "ls", "--filter", f"label={label}", *_JSON)
    said = runner.run(argv, f"looking for networks labelled {label}").text
    return sorted(json.loads(line)["Name"] for line in said.splitlines() if line)


def images(runner: Runner, label: str) -> list[str]:
    """``name:tag`` of all images with a label."""
    argv = ("docker", "image", "ls", "--filter", f"label={label}", *_JSON)
    said = runner.run(argv, f"looking for images labelled {label}").text
    rows = [json.loads(line) for line in said.splitlines() if line]
    return sorted(f"{r['Repository']}:{r['Tag']}" for r in rows)
