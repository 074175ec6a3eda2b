"""From a pod's containers and the image table to programs; what these lack. Pure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping

from meshproof.embedded.pod.workload import Probe, Program, Workload, is_python
from meshproof.errors import Problem, Refused
from meshproof.model import kube_probe, volume_files
from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import POD_INDEX, POD_NAME, pod_path, template_of
from meshproof.model.resource import Resource
from meshproof.placeholders import OWN_COMMAND
from meshproof.project import ImageCommand, Project
from meshproof.sources.location import FieldPath


def images_of(workload: Resource, project: Project) -> Mapping[str, ImageCommand]:
    """How the images of a workload run here: as the image table says.

    In pods an image that it does not have runs by its containers' own commands, if each names one
    whose program is on this machine.
    """
    if not project.pods:
        return project.images
    pod = template_of(workload).spec
    containers = [*pod.containers, *pod.init_containers]
    missing = {c.image for c in containers if c.image not in project.images}
    own = {i for i in missing if all(_runs_here(c) for c in containers if c.image == i)}
    return {**project.images, **{i: ImageCommand(command=[OWN_COMMAND]) for i in own}}


def _runs_here(container: Container) -> bool:
    program = container.command[0] if container.command else ""
    return bool(program) and (is_python(program) or shutil.which(program) is not None)


def programs_of(workload: Resource, images: Mapping[str, ImageCommand]) -> list[Program]:
    """The app first, whose image must be in the table; then the containers beside it."""
    pod = template_of(workload).spec
    located: list[tuple[Container, FieldPath]] = [
        (container, (*pod_path(workload), field, index))
        for field, containers in (
            ("containers", pod.containers),
            ("initContainers", pod.init_containers),
        )
        for index, container in enumerate(containers)
        if field == "containers" or container.restart_policy == "Always"
    ]
    return [_program(c, path, images[c.image]) for c, path in located if c.image in images]


def init_programs_of(workload: Resource, images: Mapping[str, ImageCommand]) -> list[Program]:
    """The init containers, in order, as far as their images are in the table."""
    base = (*pod_path(workload), "initContainers")
    return [
        _program(container, (*base, index), images[container.image])
        for index, container in enumerate(template_of(workload).spec.init_containers)
        if container.restart_policy != "Always" and container.image in images
    ]


def _program(container: Container, path: FieldPath, image: ImageCommand) -> Program:
    ports = [(p.name or "", p.container_port) for p in container.ports if p.protocol == "TCP"]
    own = image.commands.get(container.command[0]) if container.command else None
    return Program(
        container=container,
        path=path,
        command=tuple(image.command) if own is None else (*own, OWN_COMMAND),
        own_from=0 if own is None else 1,
        env=dict(image.env),
        ports=tuple(ports),
        readiness=probe_of(container.readiness_probe, dict(ports), commands=image.exec_probes),
    )


def probe_of(
    probe: kube_probe.Probe | None, ports: Mapping[str, int], *, commands: bool
) -> Probe | None:
    """``commands`` is whether probes that run a command are honoured."""
    if probe is None or (probe.exec and not commands):
        return None
    http, grpc = probe.http_get, probe.grpc
    target = http or probe.tcp_socket or grpc
    port = 0 if target is None else target.port
    return Probe(
        kind="http" if http else "tcp" if probe.tcp_socket else "grpc" if grpc else "exec",
        port=ports.get(port, 0) if isinstance(port, str) else port,
        path=http.path if http else grpc.service if grpc else "/",
        headers=tuple((h.name, h.value) for h in (http.http_headers if http else ())),
        command=tuple(probe.exec.command) if probe.exec else (),
        period=float(probe.period_seconds),
        timeout=float(probe.timeout_seconds),
        failures=probe.failure_threshold,
        successes=probe.success_threshold,
    )


def find_missing(workload: Workload) -> list[Problem]:
    """Whatever a workload's programs refer to and will not find."""
    source = workload.deployment
    labels = {**workload.labels, POD_NAME: "pod-0", POD_INDEX: "0"}
    fields = workload.downward_fields("pod", "127.0.0.1", labels)
    problems = list(volume_files.find_unknown_mounts(source, workload.claims))
    problems += volume_files.read_volumes(source, workload.config, fields)[1]
    for program in (*workload.init_programs, workload.program, *workload.companions):
        problems += _own_command(source, program)
        try:
            workload.container_env(program, fields)
        except Refused as refused:
            problems += refused.problems
    return problems


def _own_command(source: Resource, program: Program) -> Iterator[Problem]:
    """``{command}`` must be an argument of its own, and the container must have a command."""
    uses = [argument for argument in program.command if OWN_COMMAND in argument]
    if any(argument != OWN_COMMAND for argument in uses):
        message = f"the image table has {OWN_COMMAND} within a longer argument"
        yield source.problem((*program.path, "image"), message, "it as an argument of its own")
    if uses and not program.container.command:
        message = f"has no command, and the image table has {OWN_COMMAND}"
        yield source.problem(program.path, message, remedy="write the command in the image table")
