"""The workload that a name on the command line or in a test stands for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.errors import UsageError

Candidate = tuple[str, str, str]
"""Namespace, Deployment's name, value of its ``app`` label (empty for none)."""


def resolve(name: str, candidates: Sequence[Candidate]) -> tuple[str, str]:
    """Namespace and Deployment's name of ``NAME`` or ``NAMESPACE/NAME``.

    ``NAME`` is a Deployment's name, or else the ``app`` label of exactly one Deployment. Names come
    first, so a Deployment is never hidden by another one's label. Raises UsageError with the
    candidates where none or several match.
    """
    namespace, slash, short = name.rpartition("/")
    if (slash and not (namespace and short)) or "/" in namespace:
        raise UsageError(f"{name!r} is not a workload; wanted NAME or NAMESPACE/NAME")
    in_namespace = [c for c in candidates if not namespace or c[0] == namespace]
    by_name = sorted({(c[0], c[1]) for c in in_namespace if c[1] == short})
    by_label = sorted({(c[0], c[1]) for c in in_namespace if c[2] == short})
    matches = by_name or by_label
    if len(matches) == 1:
        return matches[0]
    if matches:
        titles = ", ".join("/".join(match) for match in matches)
        raise UsageError(f"workload {name} is ambiguous; wanted one of {titles}")
    names = ", ".join(sorted({f"{c[0]}/{c[1]}" for c in candidates}))
    remedy = f"there is {names}" if names else "the mesh has none: apply a Deployment"
    raise UsageError(f"no workload {name}; {remedy}")
