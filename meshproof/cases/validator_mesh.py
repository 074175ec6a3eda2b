"""Plans the meshes in which a case of istio-config-validator is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from meshproof.cases.planned_mesh import PlannedMesh, plan_mesh
from meshproof.cases.stand_ins import client_in
from meshproof.cases.validator_judge import ValidatorMesh
from meshproof.cases.validator_rules import (
    DEFAULT_NAMESPACE,
    delegate_alone,
    roots_alone,
    without_gateways,
)
from meshproof.model.resource import Resource
from meshproof.project import Project


def plan_validator_mesh(project: Project, base: Sequence[Resource]) -> ValidatorMesh:
    """With a client in every namespace, and one table of routes for every host: the validator
    resolves no names. Raises Refused where ``apply`` would."""
    project = replace(project, pods=False)
    namespaces = {r.namespace or DEFAULT_NAMESPACE for r in base} | {DEFAULT_NAMESPACE}
    clients = [client_in(namespace) for namespace in sorted(namespaces)]
    rules = [*without_gateways(base), *clients]

    @cache
    def plan_delegate(namespace: str, name: str, hosts: tuple[str, ...]) -> PlannedMesh:
        return plan_mesh(project, delegate_alone(rules, namespace, name, list(hosts)))

    return ValidatorMesh(
        plan_mesh(project, rules),
        plan_mesh(project, roots_alone(rules)),
        lambda namespace, name, hosts: plan_delegate(namespace, name, tuple(hosts)),
    )
