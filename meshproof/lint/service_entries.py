"""ServiceEntries that no workload sees: exported to namespaces without one."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import ISTIO_NAMESPACE
from meshproof.lint.context import LintContext


def find_invisible_entries(context: LintContext) -> Iterator[Problem]:
    """``exportTo`` names no namespace with a workload, and is not ``*``."""
    if not context.pods:
        return
    active = {namespace for namespace, _ in context.pods} | {
        context.mesh.root_namespace,
        ISTIO_NAMESPACE,
    }
    for entry in context.of("ServiceEntry"):
        namespaces = {entry.namespace if to == "." else to for to in entry.spec.export_to}
        if not namespaces or "*" in namespaces or namespaces & active:
            continue
        audience = ", ".join(sorted(namespaces - {"~"})) or "nobody"
        yield entry.problem(
            ("spec", "exportTo"),
            f"is exported to {audience} alone, and no workload runs there: it does nothing",
            remedy="export it to the callers' namespace, or leave exportTo out",
        )
