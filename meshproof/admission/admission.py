"""What a change asks for, against what is there: default namespaces, warnings, refusals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.admission import hpa_targets, jwks_hosts, rate_limit_conflicts
from meshproof.admission.store import Store
from meshproof.embedded.config.build_world import services_of
from meshproof.embedded.pod.deployments import workloads
from meshproof.errors import Problem, Refused, UsageError
from meshproof.gateway_api import status
from meshproof.istio04 import notes
from meshproof.istio04.lower import lower
from meshproof.lint.linter import find_all, with_rule
from meshproof.lint.rules import AUTOSCALER, HINTS, HTTP_ROUTE, ISTIO04
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.reader import with_default_namespace
from meshproof.model.resource import Resource
from meshproof.model.unsupported_fields import find_unsupported_fields
from meshproof.placeholders import OWN_COMMAND
from meshproof.project import Project


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new store, what happened to each resource, warnings that concern them, and notes."""

    store: Store
    said: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    changed: tuple[Resource, ...] = ()
    """Those that were not in the mesh, or were otherwise."""


class Admission:
    """Turns resources that were read into a new store, or refuses them all."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def apply(self, store: Store, resources: Sequence[Resource], *, strict: bool) -> Admitted:
        """What ``resources`` make of ``store``.

        Raises Refused for a Deployment whose image no table names, for keys of tokens that no
        declared host has, for two rate limits of one workload, for 0.4 rules that cannot be
        lowered, and, when ``strict``, for warnings.
        """
        placed = with_default_namespace(resources, default_namespace(store, resources))
        new, said = store.apply(placed)
        workloads(new, self._project)
        if keyless := list(jwks_hosts.undeclared(placed, self._project)):
            raise Refused(keyless)
        if twice := list(rate_limit_conflicts.twice(new.ordered(), placed)):
            raise Refused(twice)
        found = self._warnings(new, placed)
        if strict and found:
            raise Refused(found)
        verbs = zip(placed, said, strict=True)
        changed = tuple(r for r, verb in verbs if not verb.endswith(" unchanged"))
        images = self._project.images
        own = {(name, "") for name, image in images.items() if OWN_COMMAND in image.command}
        own |= {(name, word) for name, image in images.items() for word in image.commands}
        unmet = [p for r in changed for p in find_unsupported_fields(r, images, own)]
        return Admitted(new, tuple(said), tuple(found), tuple(_notes(unmet)), changed)

    def hints(self, store: Store, resources: Sequence[Resource]) -> list[Problem]:
        """What is good to know of ``resources``, which ``store`` holds; no warning among it."""
        placed = with_default_namespace(resources, default_namespace(store, resources))
        return [p for p in self._findings(store, placed) if p.rule in HINTS]

    def _warnings(self, store: Store, concerned: Iterable[Resource]) -> list[Problem]:
        return [p for p in self._findings(store, concerned) if p.rule not in HINTS]

    @staticmethod
    def _findings(store: Store, concerned: Iterable[Resource]) -> list[Problem]:
        resources = store.ordered()
        services = services_of(resources)
        running = [(w.namespace, template_of(w)) for w in resources if w.kind in WORKLOADS]
        pods = [(where, dict(template.metadata.labels)) for where, template in running]
        accounts = {(where, template.spec.account) for where, template in running}
        titles = {r.title for r in concerned}
        files = {(r.location.file) for r in concerned}
        found = [
            *(with_rule(AUTOSCALER, p) for p in hpa_targets.warnings(resources)),
            *(with_rule(ISTIO04, p) for p in notes.warnings(resources, services)),
            *(with_rule(HTTP_ROUTE, p) for p in status.warnings(resources, services)),
            *find_all(lower(resources, services), services, pods, accounts),
        ]
        return [p for p in found if p.resource in titles or p.file in files]

    def delete(self, store: Store, resources: Sequence[Resource]) -> tuple[Store, list[str]]:
        """Raises Refused when one is not there: nothing is deleted then."""
        placed = with_default_namespace(resources, default_namespace(store, resources))
        new, said, missing = store.delete(placed)
        if missing:
            raise Refused(
                r.problem((), "is not in this mesh", remedy="see `meshproof ls`") for r in missing
            )
        return new, said

    def scale(self, store: Store, namespace: str, name: str, replicas: int) -> Store:
        for resource in store.of("Deployment", "StatefulSet"):
            if (resource.namespace, resource.name) == (namespace, name):
                spec = resource.spec.model_copy(update={"replicas": replicas})
                return store.with_spec(resource, spec)
        raise UsageError(f"no Deployment or StatefulSet {namespace}/{name} is applied")


def _notes(unmet: Iterable[Problem]) -> list[str]:
    """One line a field that a local process does without, naming every resource that sets it."""
    by_field: dict[tuple[str, str], list[str]] = {}
    for problem in unmet:
        field = problem.field.rsplit(".", 1)[-1]
        titles = by_field.setdefault((field, problem.found), [])
        if problem.resource not in titles:
            titles.append(problem.resource)
    notes = (((f"{field} {found}").lstrip(), who) for (field, found), who in by_field.items())
    return [f"{said} ({', '.join(who)})" for said, who in notes]


def default_namespace(store: Store, resources: Iterable[Resource]) -> str:
    """The only namespace that has workloads, there or among ``resources``; else ``default``."""
    with_rule = {r.namespace for r in resources if r.kind in WORKLOADS and r.namespace}
    only = sorted(with_rule | {n for n in store.workload_namespaces() if n})
    return only[0] if len(only) == 1 else "default"
