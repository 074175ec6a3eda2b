"""From Deployments, StatefulSets, Pods and the image table to workloads. Pure.

Refuses what cannot run on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from meshproof.admission.store import Store
from meshproof.embedded.config.target_ports import target_ports
from meshproof.embedded.pod.programs import (
    find_missing,
    images_of,
    init_programs_of,
    probe_of,
    programs_of,
)
from meshproof.embedded.pod.workload import Probe, Workload
from meshproof.embedded.pod_mode import NEEDS_PODS
from meshproof.errors import Problem, Refused
from meshproof.memo import Memo
from meshproof.model import injection
from meshproof.model.capture import EVERYTHING, read_capture
from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import (
    WORKLOADS,
    DeploymentSpec,
    claims_of,
    container_path,
    replicas_of,
    runs_app,
    template_of,
)
from meshproof.model.resource import Resource
from meshproof.project import ImageCommand, Project
from meshproof.project_path import PROJECT_FILE
from meshproof.translate.world import Service

READY_WITHIN = 120.0
"""Seconds, the default of ``progressDeadlineSeconds``. Kubernetes waits 600; a local process that
is not ready after two minutes will not become so."""


_INPUTS = frozenset((*WORKLOADS, "ConfigMap", "Secret", "Service", *injection.KINDS))
_memo: Memo[tuple[Workload, ...]] = Memo()


def build_workloads(store: Store, project: Project) -> list[Workload]:
    """One for each object that has a pod template. Raises Refused with every problem. What was
    built last is reused where a change touches none of it."""
    resources = [r for r in store.ordered() if r.kind in _INPUTS]
    services = store.services
    inputs = (project, services, *resources)
    return list(_memo.get(inputs, lambda: _build_all(resources, services, project)))


def _build_all(
    resources: Iterable[Resource], services: Iterable[Service], project: Project
) -> tuple[Workload, ...]:
    problems: list[Problem] = []
    result = []
    config = [r for r in resources if r.kind in ("ConfigMap", "Secret")]
    inject = injection.injection_of(resources)
    deployments = [r for r in resources if runs_app(r)]
    problems += _find_duplicate_names(deployments)
    for deployment in deployments:
        container, images = (
            template_of(deployment).spec.containers[0],
            images_of(deployment, project),
        )
        if container.image not in images:
            problems.append(_missing_command(deployment, container, project))
            continue
        workload = _workload(config, deployment, images, sidecar=inject.has_sidecar(deployment))
        if not project.pods:
            problems += _find_unreachable_ports(services, workload)
            if not workload.sidecar:
                problems.append(_needs_pod(inject, deployment))
        problems += find_missing(workload)
        result.append(workload)
    if problems:
        raise Refused(problems)
    return tuple(result)


def find_unknown_images(resources: Iterable[Resource], project: Project) -> list[Problem]:
    """Images of workloads that are not in the image table, whatever else is applied."""
    first = [(r, template_of(r).spec.containers[0]) for r in resources if runs_app(r)]
    return [
        _missing_command(resource, container, project)
        for resource, container in first
        if container.image not in images_of(resource, project)
    ]


def _missing_command(deployment: Resource, container: Container, project: Project) -> Problem:
    image, own = container.image, container.command[0] if container.command else ""
    reason = f", and {own}, which its container runs, is not on this machine" if own else ""
    return deployment.problem(
        (*container_path(deployment), "image"),
        f"image {image} has no local command{reason if project.pods else ''}",
        remedy=f"say how it runs, under images: in {PROJECT_FILE} or in --images FILE: "
        f'{{"{image}": {{"command": ["PROGRAM", "--bind", "{{ip}}:{{port}}"]}}}}',
    )


def _needs_pod(inject: injection.Injection, deployment: Resource) -> Problem:
    path, reason = inject.reason(deployment)
    return deployment.problem(
        path,
        f"{reason}: it would have no sidecar, and without pods every workload has one",
        remedy=NEEDS_PODS,
    )


def _workload(
    config: Iterable[Resource],
    deployment: Resource,
    images: Mapping[str, ImageCommand],
    *,
    sidecar: bool,
) -> Workload:
    template = template_of(deployment)
    pod = template.spec
    container: Container = pod.containers[0]
    app, *companions = programs_of(deployment, images)
    ports = {name: port for p in (app, *companions) for name, port in p.ports}
    commands = images[container.image].exec_probes
    grace = float(pod.termination_grace_period_seconds)
    return Workload(
        namespace=deployment.namespace,
        name=deployment.name,
        labels=dict(template.metadata.labels),
        service_account=pod.account,
        replicas=replicas_of(deployment),
        image=container.image,
        program=app,
        init_programs=tuple(init_programs_of(deployment, images)),
        companions=tuple(companions),
        claims=claims_of(deployment),
        stateful=deployment.kind == "StatefulSet",
        deployment=deployment,
        config=tuple(r for r in config if r.namespace == deployment.namespace),
        readiness=probe_of(container.readiness_probe, ports, commands=commands),
        liveness=probe_of(container.liveness_probe, ports, commands=commands),
        startup=probe_of(container.startup_probe, ports, commands=commands),
        pre_stop=_pre_stop(container, ports, grace, commands=commands),
        grace=grace,
        ready_within=float(_deadline(deployment) or READY_WITHIN),
        template=_hash(deployment, images, sidecar=sidecar),
        sidecar=sidecar,
        capture=read_capture(template.metadata.annotations) if sidecar else EVERYTHING,
    )


def _deadline(workload: Resource) -> int | None:
    """``progressDeadlineSeconds``, which a Pod cannot have."""
    spec = workload.spec
    return spec.progress_deadline_seconds if isinstance(spec, DeploymentSpec) else None


def _find_duplicate_names(workloads: Iterable[Resource]) -> Iterator[Problem]:
    """In Kubernetes names are unique within a kind; replicas here are named by namespace and name
    alone."""
    first: dict[tuple[str, str], Resource] = {}
    for workload in workloads:
        other = first.setdefault((workload.namespace, workload.name), workload)
        if other is not workload:
            yield workload.problem(
                ("metadata", "name"),
                f"is also the name of {other.title}; an embedded mesh has one workload of a name",
                "a unique name",
            )


def _hash(deployment: Resource, images: Mapping[str, ImageCommand], *, sidecar: bool) -> str:
    pod = template_of(deployment).spec
    used = [c.image for c in (*pod.containers, *pod.init_containers) if c.image in images]
    text = _template_as_json(deployment) + "".join(images[i].model_dump_json() for i in used)
    return hashlib.blake2b(f"{sidecar}{text}".encode(), digest_size=5).hexdigest()


def _template_as_json(workload: Resource) -> str:
    """By the model that read it: a serializer of the template alone would have to be built."""
    if isinstance(workload.spec, DeploymentSpec):
        return workload.spec.model_dump_json(include={"template"})
    return template_of(workload).model_dump_json()


def _pre_stop(
    container: Container, ports: dict[str, int], grace: float, *, commands: bool
) -> Probe | None:
    """A hook that only sleeps waits until no request arrives any more; draining does that."""
    hook = container.lifecycle.pre_stop if container.lifecycle else None
    if hook is None or hook.sleep or (hook.exec and not commands):
        return None
    if hook.exec:
        return Probe(kind="exec", command=tuple(hook.exec.command), timeout=grace)
    assert hook.http_get is not None, "the model wants one of the three"
    port = hook.http_get.port
    number = ports.get(port, 0) if isinstance(port, str) else port
    return Probe(kind="http", port=number, path=hook.http_get.path, timeout=grace)


def warn_of_wildcard(workload: Workload, addresses: str) -> Problem:
    """The warning for an app that listens on every address of the machine."""
    return workload.deployment.problem(
        (*container_path(workload.deployment), "image"),
        f"its app listens at {addresses}, on every address of this machine: whoever reaches the "
        "machine reaches it, past its sidecar",
        wanted="an app that listens only at the given address",
        remedy="give it {socket}, or {ip} and {port}, in the image table",
    )


def _find_unreachable_ports(services: Iterable[Service], workload: Workload) -> list[Problem]:
    """Ports that nothing could reach, because the command is not told where to listen."""
    served = [port for _, port in workload.ports]
    served += target_ports(services, workload.namespace, workload.labels)
    problems = []
    for program in (workload.program, *workload.companions):
        ports = [port for port in served if workload.server_of(port) is program]
        if not ports or program.uses("{socket}") or program.uses("{ip}"):
            continue
        problems.append(
            workload.deployment.problem(
                (*program.path, "image"),
                f"the local command of image {program.container.image} does not say where it "
                f"listens, but port {ports[0]} is served",
                wanted="{socket}, or {ip} and {port}, in its command or env",
                remedy="add them in the image table",
            )
        )
    return problems
