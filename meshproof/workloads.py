"""Which workload a name on the command line or in a test means. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.errors import UsageError

Candidate = tuple[str, str, str]
"""Namespace, Deployment's name, value of its ``app`` label (empty for none)."""


def resolve(name: str, candidates: Sequence[Candidate]) -> tuple[str, str]:
    """Namespace and Deployment's name of ``NAME`` or ``NAMESPACE/NAME``.

    ``NAME`` is a Deployment's name, or else the ``app`` label that exactly one Deployment has:
    names are looked at first, so a Deployment is never hidden by another one's label. Raises
    UsageError with the candidates where nothing or more than one fits.
    """
    namespace, slash, short = name.rpartition("/")
    if (slash and not (namespace and short)) or "/" in namespace:
        raise UsageError(f"{name!r} is no workload; wanted NAME or NAMESPACE/NAME")
    here = [c for c in candidates if not namespace or c[0] == namespace]
    by_name = sorted({(c[0], c[1]) for c in here if c[1] == short})
    by_label = sorted({(c[0], c[1]) for c in here if c[2] == short})
    found = by_name or by_label
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join("/".join(one) for one in found)
        raise UsageError(f"workload {name} is ambiguous; wanted one of {listed}")
    known = ", ".join(sorted({f"{c[0]}/{c[1]}" for c in candidates}))
    remedy = f"there is {known}" if known else "the mesh has none: apply a Deployment"
    raise UsageError(f"no workload {name}; {remedy}")
