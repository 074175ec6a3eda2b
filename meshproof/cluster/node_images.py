"""The images that the nodes of a kind cluster have, or can pull. crictl on the node answers, as it
does for kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.cluster.commands import CommandError, Runner

_ABSENT = "no such image"
"""crictl's error for an image that the node does not have."""
_PULL_TIMEOUT = 600.0


def find_missing(runner: Runner, nodes: Sequence[str], images: Iterable[str]) -> dict[str, str]:
    """Image -> why some node cannot start it.

    A node that does not have an image pulls it now: the kubelet would do the same, but would try
    again for minutes where no registry has the image.
    """
    missing = {}
    for image in sorted(set(images)):
        for node in nodes:
            if reason := _missing(runner, node, image):
                missing[image] = reason
                break
    return missing


def _missing(runner: Runner, node: str, image: str) -> str:
    """Empty where the node has the image."""
    doing = f"asking node {node} for image {image}"
    result = runner.run(("docker", "exec", node, "crictl", "inspecti", image), doing, check=False)
    if not result.code:
        return ""
    if _ABSENT not in result.errors:
        raise CommandError(result, doing)
    pull = ("docker", "exec", node, "crictl", "pull", image)
    result = runner.run(pull, f"pulling {image} on {node}", check=False, timeout=_PULL_TIMEOUT)
    if not result.code:
        return ""
    error = (result.errors.strip().splitlines() or ["no output"])[-1]
    return f"node {node} does not have it and cannot pull it ({error})"
