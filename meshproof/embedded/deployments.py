"""From Deployments, StatefulSets, Pods and the image table to workloads. Pure.

Refuses what cannot run here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from meshproof.embedded.store import Store
from meshproof.embedded.workload import Probe, Workload
from meshproof.embedded.worlds import services_of, target_ports
from meshproof.errors import Problem, Refused
from meshproof.model import kube_pod
from meshproof.model.kube import DeploymentSpec
from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import WORKLOADS, container_path, replicas_of, template_of
from meshproof.model.resource import Resource
from meshproof.project import ImageCommand, Project
from meshproof.translate.world import Service

READY_WITHIN = 60.0
"""Seconds, where a Deployment does not say. Kubernetes waits 600; a local process that is not
ready after a minute will not be."""


def workloads(store: Store, project: Project) -> list[Workload]:
    """One for each Deployment, StatefulSet and Pod. Raises Refused with every problem."""
    problems: list[Problem] = []
    result = []
    resources = store.ordered()
    services = services_of(resources)
    config = [r for r in resources if r.kind in ("ConfigMap", "Secret")]
    found = [r for r in resources if r.kind in WORKLOADS]
    problems += _same_name(found)
    for deployment in found:
        image = template_of(deployment).spec.containers[0].image
        if image not in project.images:
            problems.append(_no_command(deployment, image))
            continue
        workload = _workload(config, deployment, project.images[image])
        problems += _unreachable(services, workload)
        try:
            workload.container_env("pod", "127.0.0.1")
        except Refused as refused:
            problems += refused.problems
        result.append(workload)
    if problems:
        raise Refused(problems)
    return result


def without_command(resources: Iterable[Resource], project: Project) -> list[Problem]:
    """What is wrong with the images of Deployments, whatever else is applied."""
    images = [
        (r, template_of(r).spec.containers[0].image) for r in resources if r.kind in WORKLOADS
    ]
    return [_no_command(r, image) for r, image in images if image not in project.images]


def _no_command(deployment: Resource, image: str) -> Problem:
    return deployment.problem(
        (*container_path(deployment), "image"),
        f"image {image} has no local command",
        remedy=f"say how it runs, under images: in meshproof.yaml or in --images FILE: "
        f'{{"{image}": {{"command": ["PROGRAM", "--bind", "{{ip}}:{{port}}"]}}}}',
    )


def _workload(config: Iterable[Resource], deployment: Resource, image: ImageCommand) -> Workload:
    template = template_of(deployment)
    pod = template.spec
    container: Container = pod.containers[0]
    ports = tuple((p.name or "", p.container_port) for p in container.ports)
    return Workload(
        namespace=deployment.namespace,
        name=deployment.name,
        labels=dict(template.metadata.labels),
        service_account=pod.account,
        replicas=replicas_of(deployment),
        image=container.image,
        command=tuple(image.command),
        env=dict(image.env),
        args=tuple(container.args),
        deployment=deployment,
        config=tuple(r for r in config if r.namespace == deployment.namespace),
        ports=ports,
        readiness=_probe(container.readiness_probe, dict(ports)),
        liveness=_probe(container.liveness_probe, dict(ports)),
        startup=_probe(container.startup_probe, dict(ports)),
        pre_stop=_pre_stop(container, dict(ports), float(pod.termination_grace_period_seconds)),
        grace=float(pod.termination_grace_period_seconds),
        ready_within=float(_deadline(deployment) or READY_WITHIN),
        template=_hash(deployment, image),
    )


def _deadline(workload: Resource) -> int | None:
    """``progressDeadlineSeconds``, which a Pod cannot have."""
    spec = workload.spec
    return spec.progress_deadline_seconds if isinstance(spec, DeploymentSpec) else None


def _same_name(workloads: Iterable[Resource]) -> Iterator[Problem]:
    """Kubernetes keeps names apart by kind; replicas here go by namespace and name alone."""
    first: dict[tuple[str, str], Resource] = {}
    for workload in workloads:
        other = first.setdefault((workload.namespace, workload.name), workload)
        if other is not workload:
            found = f"is also the name of {other.title}; a mesh on this machine wants one workload"
            yield workload.problem(("metadata", "name"), found, "a name of its own")


def _hash(deployment: Resource, image: ImageCommand) -> str:
    text = template_of(deployment).model_dump_json() + image.model_dump_json()
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _probe(probe: kube_pod.Probe | None, ports: dict[str, int]) -> Probe | None:
    if probe is None:
        return None
    target = probe.http_get or probe.tcp_socket
    port = 0 if target is None else target.port
    return Probe(
        kind="http" if probe.http_get else "tcp" if probe.tcp_socket else "exec",
        port=ports.get(port, 0) if isinstance(port, str) else port,
        path=probe.http_get.path if probe.http_get else "/",
        headers=tuple(
            (h.name, h.value) for h in (probe.http_get.http_headers if probe.http_get else ())
        ),
        command=tuple(probe.exec.command) if probe.exec else (),
        period=float(probe.period_seconds),
        timeout=float(probe.timeout_seconds),
        failures=probe.failure_threshold,
        successes=probe.success_threshold,
    )


def _pre_stop(container: Container, ports: dict[str, int], grace: float) -> Probe | None:
    hook = container.lifecycle.pre_stop if container.lifecycle else None
    if hook is None or hook.sleep:
        return None
    if hook.exec:
        return Probe(kind="exec", command=tuple(hook.exec.command), timeout=grace)
    assert hook.http_get is not None, "the model wants one of the three"
    port = hook.http_get.port
    number = ports.get(port, 0) if isinstance(port, str) else port
    return Probe(kind="http", port=number, path=hook.http_get.path, timeout=grace)


def bound_everywhere(workload: Workload, where: str) -> Problem:
    """The warning for an app that listens on every address of the machine."""
    return workload.deployment.problem(
        (*container_path(workload.deployment), "image"),
        f"its app listens at {where}, on every address of this machine: whoever reaches the "
        "machine reaches it, past its sidecar",
        wanted="an app that listens only where it is told to",
        remedy="give it {socket}, or {ip} and {port}, in the image table",
    )


def _unreachable(services: Iterable[Service], workload: Workload) -> list[Problem]:
    """Ports that nothing could reach, since the command does not say where it listens."""
    served = [n for _, n in workload.ports] + target_ports(
        services, workload.namespace, workload.labels
    )
    if not served or workload.takes_socket() or workload.takes_address():
        return []
    return [
        workload.deployment.problem(
            (*container_path(workload.deployment), "image"),
            f"the local command of image {workload.image} does not say where it listens, but port "
            f"{served[0]} is served",
            wanted="{socket}, or {ip} and {port}, in its command or env",
            remedy="add them in the image table",
        )
    ]
