"""ServiceEntries that nobody sees: exported to namespaces without a workload."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.lint.view import View


def invisible_entries(view: View) -> Iterator[Problem]:
    """``exportTo`` names no namespace that runs anything, and not everybody (``*``)."""
    if not view.pods:
        return
    running = {namespace for namespace, _ in view.pods} | {ROOT_NAMESPACE}
    for entry in view.of("ServiceEntry"):
        seen_by = {entry.namespace if to == "." else to for to in entry.spec.export_to}
        if not seen_by or "*" in seen_by or seen_by & running:
            continue
        where = ", ".join(sorted(seen_by - {"~"})) or "nobody"
        yield entry.problem(
            ("spec", "exportTo"),
            f"is exported to {where} alone, and no workload runs there: it does nothing",
            remedy="export it to the callers' namespace, or leave exportTo out",
        )
