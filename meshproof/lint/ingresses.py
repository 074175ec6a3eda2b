"""Ingresses of no class of Istio's: nothing serves them."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext


def find_unserved_ingresses(context: LintContext) -> Iterator[Problem]:
    """An Ingress for another controller, or without a class that exists."""
    for ingress in context.of("Ingress"):
        from meshproof.ingresses import is_served  # noqa: PLC0415  (few meshes have one)

        if is_served(ingress, context.resources, context.mesh):
            continue
        name = ingress.ingress_class or ingress.spec.ingress_class_name
        of_class = f"is of class {name}" if name else "has no class"
        yield ingress.problem(
            ("spec", "ingressClassName") if ingress.spec.ingress_class_name else ("metadata",),
            f"{of_class}, which Istio does not serve: its rules have no effect here",
            f"the annotation kubernetes.io/ingress.class: {context.mesh.ingress_class}, or an "
            "IngressClass whose controller is istio.io/ingress-controller",
        )
