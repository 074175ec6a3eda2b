"""Rules of ``meshproof diff``: files and folders, or both as they are in a git revision."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.inputs import Input, Source

_SUFFIXES = (".yaml", ".yml")


def read_side(text: str, other: str) -> list[Input]:
    """``PATH``; ``REVISION:PATH``; or ``REVISION``, for the path that the other side names.

    A path that exists is never a revision. Raises UsageError where it is neither.
    """
    if text == "-" or Path(text).exists():
        return [text]
    revision, colon, path = text.partition(":")
    path = path if colon else other.rpartition(":")[2]
    if not path or path == "-":
        raise UsageError(
            f"diff: {text} is no file; wanted PATH, or REVISION:PATH of a git revision"
        )
    return list(_at_revision(revision, path, text))


def _at_revision(revision: str, path: str, text: str) -> list[Source]:
    if _git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]) is None:
        raise UsageError(f"diff: {text} is neither a file nor a git revision here")
    listing = _git(["ls-tree", "-r", "--name-only", "--full-name", revision, "--", path])
    prefix = (_git(["rev-parse", "--show-prefix"]) or "").strip()
    folder = (prefix + path).rstrip("/").removeprefix("./")
    names = [n for n in (listing or "").splitlines() if n.endswith(_SUFFIXES)]
    files = [n for n in names if n == folder or Path(n).parent == Path(folder)]
    if any(Path(n).name.startswith("kustomization.") for n in files):
        raise UsageError(
            f"diff: {text} is a Kustomize folder; render both sides: kustomize build, git worktree"
        )
    if not files:
        raise UsageError(f"diff: {revision} has no YAML at {path}")
    return [Source(f"{revision}:{n}", _git(["show", f"{revision}:{n}"]) or "") for n in files]


def _git(arguments: Sequence[str]) -> str | None:
    """What git prints; None where it fails. Raises UsageError where there is no git."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("diff: git is not installed, and a revision needs it") from None
    return done.stdout if done.returncode == 0 else None
