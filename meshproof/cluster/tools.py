"""The tools that do the work: are they here, and are they of a version that is known to do it?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.cluster.commands import CommandError, Runner
from meshproof.cluster.remedies import remedy
from meshproof.errors import MeshproofError

_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. ``least`` is the oldest version known to do what the steps ask of it."""

    name: str
    tested: str
    least: tuple[int, int]
    argv: tuple[str, ...]
    version: Callable[[str], str]
    """Takes what ``argv`` printed."""
    get: str


def _kubectl(text: str) -> str:
    return str(json.loads(text)["clientVersion"]["gitVersion"])


def _istioctl(text: str) -> str:
    return str(json.loads(text)["clientVersion"]["version"])


def _docker(text: str) -> str:
    """Docker before 23 ends with 0 where no daemon answers, and says so inside."""
    info = json.loads(text)
    if errors := info.get("ServerErrors"):
        said = "; ".join(errors)
        raise MeshproofError(f"Docker does not answer: {said}\n  {remedy(said)}")
    return str(info.get("ServerVersion") or "")


DOCKER = Tool(
    "docker", "20.10", (20, 10), ("docker", "info", "--format", "{{json .}}"), _docker,
    "install Docker Engine or Docker Desktop",
)  # fmt: skip
KIND = Tool(
    "kind", "0.30.0", (0, 24), ("kind", "--quiet", "version"), str.strip,
    "`go install sigs.k8s.io/kind@v0.30.0`, or its release page",
)  # fmt: skip
KUBECTL = Tool(
    "kubectl", "1.34.4", (1, 32), ("kubectl", "version", "--client", "-o", "json"), _kubectl,
    "take it from a Kubernetes 1.34 release",
)  # fmt: skip
ISTIOCTL = Tool(
    "istioctl", "1.29.6", (1, 28), ("istioctl", "version", "--remote=false", "-o", "json"),
    _istioctl, "take it from an Istio 1.29 release",
)  # fmt: skip
"""The pinned table: what the recordings in tests/cluster were made with."""


def check(runner: Runner, tools: tuple[Tool, ...]) -> dict[str, str]:
    """Tool -> its version. Raises MeshproofError with every tool that is missing or too old."""
    versions: dict[str, str] = {}
    problems = []
    for tool in tools:
        if not runner.has(tool.name):
            problems.append(f"{tool.name} is not on PATH (tested with {tool.tested}): {tool.get}")
            continue
        said = runner.run(tool.argv, doing := f"asking {tool.name} for its version", check=False)
        if said.code:
            problems.append(str(CommandError(said, doing)))
            continue
        version = versions[tool.name] = tool.version(said.text)
        found = _VERSION.match(version)
        if found is None:
            problems.append(f"{tool.name} told no version: {said.text[:200]!r}")
        elif (int(found[1]), int(found[2])) < tool.least:
            least = ".".join(map(str, tool.least))
            problems.append(
                f"{tool.name} {version} is too old; wanted {least} or newer: {tool.get}"
            )
    if problems:
        raise MeshproofError("\n".join([*problems, "or run without a cluster: MESH=embedded"]))
    return versions
