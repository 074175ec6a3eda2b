"""The command-line tools of the kind path: are they on PATH, and recent enough?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.cluster import versions
from meshproof.cluster.commands import CommandError, Runner
from meshproof.cluster.remedies import remedy
from meshproof.errors import MeshproofError

_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. ``least`` is the oldest version known to do what is asked of it."""

    name: str
    tested: str
    least: tuple[int, int]
    argv: tuple[str, ...]
    parse_version: Callable[[str], str]
    """Takes the output of ``argv``."""
    get: str
    """How to install it."""


def _kubectl_version(output: str) -> str:
    return str(json.loads(output)["clientVersion"]["gitVersion"])


def _istioctl_version(output: str) -> str:
    return str(json.loads(output)["clientVersion"]["version"])


def _docker_version(output: str) -> str:
    """Docker before 23 exits with 0 where no daemon answers, and reports that in its output."""
    info = json.loads(output)
    if errors := info.get("ServerErrors"):
        message = "; ".join(errors)
        raise MeshproofError(f"Docker does not answer: {message}\n  {remedy(message)}")
    return str(info.get("ServerVersion") or "")


DOCKER = Tool(
    "docker", versions.DOCKER, (20, 10), ("docker", "info", "--format", "{{json .}}"),
    _docker_version, "install Docker Engine or Docker Desktop",
)  # fmt: skip
KIND = Tool(
    "kind", versions.KIND, (0, 24), ("kind", "--quiet", "version"), str.strip,
    f"`go install sigs.k8s.io/kind@v{versions.KIND}`, or its release page",
)  # fmt: skip
KUBECTL = Tool(
    "kubectl", versions.KUBERNETES, (1, 32), ("kubectl", "version", "--client", "-o", "json"),
    _kubectl_version, f"take it from a Kubernetes {versions.minor(versions.KUBERNETES)} release",
)  # fmt: skip
ISTIOCTL = Tool(
    "istioctl", versions.ISTIO, (1, 29), ("istioctl", "version", "--remote=false", "-o", "json"),
    _istioctl_version, f"take it from an Istio {versions.minor(versions.ISTIO)} release",
)  # fmt: skip


def check_tools(runner: Runner, tools: tuple[Tool, ...]) -> dict[str, str]:
    """Tool -> its version. Raises MeshproofError with every tool that is missing or too old."""
    versions_by_tool: dict[str, str] = {}
    problems = []
    for tool in tools:
        if not runner.has_tool(tool.name):
            problems.append(f"{tool.name} is not on PATH (tested with {tool.tested}): {tool.get}")
            continue
        result = runner.run(tool.argv, doing := f"asking {tool.name} for its version", check=False)
        if result.code:
            problems.append(str(CommandError(result, doing)))
            continue
        version = versions_by_tool[tool.name] = tool.parse_version(result.text)
        if problem := _version_problem(tool, version, result.text):
            problems.append(problem)
    if problems:
        raise MeshproofError("\n".join([*problems, "or run without a cluster: MESH=embedded"]))
    return versions_by_tool


def _version_problem(tool: Tool, version: str, output: str) -> str:
    match = _VERSION.match(version)
    if match is None:
        return f"{tool.name} printed no version: {output[:200]!r}"
    if (int(match[1]), int(match[2])) < tool.least:
        least = ".".join(map(str, tool.least))
        return f"{tool.name} {version} is too old; wanted {least} or newer: {tool.get}"
    return ""
