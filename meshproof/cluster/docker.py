"""docker's JSON, asked for in the one form that every version understands (``{{json .}}``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from meshproof.cluster.commands import CommandError, Runner

_JSON = ("--format", "{{json .}}")


def inspect(runner: Runner, container: str) -> list[dict[str, Any]]:
    """A container's description; an empty list where there is none. Raises for other failures."""
    return _inspect(runner, ("docker", "inspect", container), container)


def inspect_image(runner: Runner, image: str) -> list[dict[str, Any]]:
    return _inspect(runner, ("docker", "image", "inspect", image), image)


def inspect_network(runner: Runner, network: str) -> list[dict[str, Any]]:
    return _inspect(runner, ("docker", "network", "inspect", network), network)


def _inspect(runner: Runner, argv: Sequence[str], name: str) -> list[dict[str, Any]]:
    """Docker prints ``[]`` and exits with 1 where the object does not exist."""
    doing = f"asking Docker about {name}"
    result = runner.run(argv, doing, check=False)
    if result.code and result.text.strip() != "[]":
        raise CommandError(result, doing)
    objects: list[dict[str, Any]] = json.loads(result.text)
    return objects


def containers(runner: Runner, label: str) -> list[str]:
    """Names of all containers with a label, running or not."""
    argv = ("docker", "ps", "-a", "--filter", f"label={label}", *_JSON)
    output = runner.run(argv, f"looking for containers labelled {label}").text
    return sorted(json.loads(line)["Names"] for line in output.splitlines() if line)


def networks(runner: Runner, label: str) -> list[str]:
    argv = ("docker", "network", "ls", "--filter", f"label={label}", *_JSON)
    output = runner.run(argv, f"looking for networks labelled {label}").text
    return sorted(json.loads(line)["Name"] for line in output.splitlines() if line)
