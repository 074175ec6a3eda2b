"""Admission's profile of the embedded mesh: workloads are local processes, Envoys fetch no keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.admission.admission import Admission
from meshproof.admission.store import Store
from meshproof.embedded.admission import (
    hpa_targets,
    jwks_hosts,
    pod_features,
    wasm_modules,
)
from meshproof.embedded.pod.deployments import build_workloads, find_unknown_images
from meshproof.embedded.pod.programs import images_of
from meshproof.errors import Problem, Refused
from meshproof.host.users import may_run_as
from meshproof.lint.linter import with_rule
from meshproof.lint.rules import AUTOSCALER
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.kube_workloads import WORKLOADS
from meshproof.model.mesh_config_sources import mesh_config_of
from meshproof.model.resource import Resource
from meshproof.placeholders import OWN_COMMAND
from meshproof.project import Project


def embedded_admission(project: Project) -> Admission:
    """The way into an embedded mesh with the images and outside hosts of ``project``."""
    return Admission(EmbeddedProfile(project))


class EmbeddedProfile:
    """See ``meshproof.admission.admission.Profile``."""

    keeps_unsupported = False

    def __init__(self, project: Project) -> None:
        self._project = project

    def check_resources(self, resources: Iterable[Resource]) -> list[Problem]:
        """Images without a local command."""
        return find_unknown_images(resources, self._project)

    def check_store(self, store: Store, resources: Sequence[Resource]) -> None:
        """Raises Refused for a workload that cannot run here, for keys of tokens that no declared
        host has, and for patches and modules that no Envoy takes."""
        workloads = build_workloads(store, self._project)
        if not self._project.pods:
            root = mesh_config_of(store.decoded, self._project.mesh_config).root_namespace
            if placed := [
                *pod_features.find_needing_pods(resources),
                *wasm_modules.find_by_outgoing_port(resources, workloads, root),
            ]:
                raise Refused(placed)
        if undeclared := list(jwks_hosts.find_undeclared(resources, self._project)):
            raise Refused(undeclared)
        if misfits := _misfits([r for r in resources if r.kind == "EnvoyFilter"]):
            raise Refused(misfits)
        if unusable := list(wasm_modules.find_unusable(resources)):
            raise Refused(unusable)

    def findings(self, store: Store) -> list[Problem]:
        """Autoscalers that cannot work."""
        return [with_rule(AUTOSCALER, p) for p in hpa_targets.find_idle(store.ordered())]

    def notes(self, changed: Iterable[Resource]) -> list[str]:
        """Fields that a local process does without."""
        return _notes(p for r in changed for p in self._ignored_fields(r))

    def _ignored_fields(self, resource: Resource) -> list[Problem]:
        project = self._project
        images = images_of(resource, project) if resource.kind in WORKLOADS else project.images
        own_commands = {
            (name, "") for name, image in images.items() if OWN_COMMAND in image.command
        }
        own_commands |= {(name, word) for name, image in images.items() for word in image.commands}
        return find_ignored_fields(
            resource, images, own_commands, pods=project.pods, may_run_as=may_run_as
        )


def _misfits(filters: Sequence[Resource]) -> list[Problem]:
    if not filters:
        return []
    from meshproof.envoy_filters.check import check_filter  # noqa: PLC0415  (Envoy's schema: slow)

    return [problem for resource in filters for problem in check_filter(resource)]


def _notes(problems: Iterable[Problem]) -> list[str]:
    """One line a field, naming every resource that sets it."""
    titles: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        field = problem.field.rsplit(".", 1)[-1]
        of_field = titles.setdefault((field, problem.found), [])
        if problem.resource not in of_field:
            of_field.append(problem.resource)
    return [
        f"{field} {description} ({', '.join(of)})".lstrip()
        for (field, description), of in titles.items()
    ]
