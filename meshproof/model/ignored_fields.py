"""Warnings about fields of Kubernetes objects that have no effect on a local process."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

from meshproof.errors import Problem
from meshproof.model.base_model import Model
from meshproof.model.istio_metadata import find_metadata_without_effect
from meshproof.model.kinds_without_model import explain_ignored
from meshproof.model.kube_config import ConfigMap
from meshproof.model.kube_fields import NoEffect
from meshproof.model.kube_pod import Container as PodContainer
from meshproof.model.kube_pod import PodSpec
from meshproof.model.kube_security import find_unheeded_users
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.kube_workloads import DeploymentSpec, container_path, pod_path, template_of
from meshproof.model.mesh_config_map import is_mesh_config_map, parse_mesh_config
from meshproof.model.proxy_config_sources import proxy_config_of
from meshproof.model.resource import Resource
from meshproof.model.steering_keys import PROXY_CONFIG
from meshproof.sources.location import FieldPath

_MESSAGE = "is not honoured by a local process"
_FIRST_CONTAINER_ONLY = ("livenessProbe", "startupProbe", "lifecycle")
"""Honoured for the first container only."""


def find_ignored_fields(
    resource: Resource,
    images: Container[str] = (),
    own: Container[tuple[str, str]] = (),
    *,
    pods: bool = False,
    may_run_as: Callable[[int], bool] = lambda _user: True,
) -> list[Problem]:
    """One warning for each field that is set and has no effect.

    ``images``: those that have a local command. ``own``: those whose command is the container's,
    and those with a replacement for its first argument, as pairs of image and program (empty for
    the former). ``pods``: whether replicas are in pods, where volumes are at their real paths,
    hosts have aliases, and Services addresses; ``may_run_as`` says which users their processes may
    have.
    """
    if meaning := explain_ignored(resource.kind, resource.api_version):
        return [resource.problem((), f"{resource.kind} has no effect here: {meaning}")]
    metadata = [resource.problem(*p) for p in find_metadata_without_effect(resource.body)]
    if not isinstance(resource.spec, Model):
        return metadata
    base: FieldPath = () if resource.kind in _WITHOUT_SPEC else ("spec",)
    fields = list(_ignored(resource.spec, base))
    if isinstance(resource.spec, ConfigMap) and is_mesh_config_map(
        resource.kind, resource.name, resource.namespace
    ):
        fields += _ignored(parse_mesh_config(resource.spec.data.get("mesh", "")), ("data", "mesh"))
    if isinstance(resource.spec, DeploymentSpec | PodSpec):
        config = (*pod_path(resource)[:-1], "metadata", "annotations", PROXY_CONFIG)
        fields += _ignored(proxy_config_of(resource), config)
        not_run = list(_idle_containers(resource, images))
        honoured = [at for at, _ in not_run] + list(_honoured_commands(resource, own))
        if pods:
            fields += _unheeded_security(resource, may_run_as)
        fields = [f for f in fields if not any(f[0][: len(at)] == at for at in honoured)] + not_run
    if isinstance(resource.spec, ServiceSpec) and resource.spec.type in _OPENED:
        fields.append((("spec", "type"), "the service is reached by name, inside the mesh"))
    problems = metadata
    for path, meaning in fields:
        if pods and path[-1] in _HONOURED_IN_PODS:
            continue
        message = f"{_MESSAGE}: {meaning}" if meaning else _MESSAGE
        problems.append(resource.problem(path, message))
    if isinstance(resource.spec, DeploymentSpec | PodSpec):
        problems += [] if pods else _warn_of_mounts(resource)
        problems += _warn_of_handlers(resource, images)
    return sorted(problems, key=lambda p: p.line)


_HONOURED_IN_PODS = ("hostAliases", "hostname", "securityContext", "clusterIP")


def _unheeded_security(
    resource: Resource, may_run_as: Callable[[int], bool]
) -> Iterator[tuple[FieldPath, str]]:
    """What processes in pods do not honour of securityContext."""
    pod = template_of(resource).spec
    yield from _ignored(pod.security_context, (*pod_path(resource), "securityContext"))
    for at, container in _containers(resource):
        own = (*at, "securityContext")
        yield from _ignored(container.security_context, own)
        users = find_unheeded_users(pod.security_context, container.security_context, may_run_as)
        yield from (((*own, field), meaning) for field, meaning in users)


_OPENED = ("NodePort", "LoadBalancer")
"""Types of a Service that expose it outside the cluster."""
_WITHOUT_SPEC = frozenset(
    ("Namespace", "ServiceAccount", "ConfigMap", "Secret", "Endpoints", "EndpointSlice")
)


def _ignored(model: Model, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    for name, info in type(model).model_fields.items():
        if name not in model.model_fields_set:
            continue
        value, at = getattr(model, name), (*path, info.alias or name)
        mark = next((m for m in info.metadata if isinstance(m, NoEffect)), None)
        if mark and not mark.silent and value is not None and value not in mark.harmless:
            yield at, mark.meaning
        elif not mark:
            yield from _ignored_in(value, at)


def _ignored_in(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(value, Model):
        yield from _ignored(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ignored_in(item, (*path, index))


def _idle_containers(resource: Resource, images: Container[str]) -> Iterator[tuple[FieldPath, str]]:
    """Sidecar and init containers whose image has no local command."""
    first = container_path(resource)
    for at, container in _containers(resource):
        if at != first and container.image not in images:
            yield at, f"it is not run, as the image table has no {container.image}"


def _honoured_commands(resource: Resource, own: Container[tuple[str, str]]) -> Iterator[FieldPath]:
    for at, container in _containers(resource):
        programs = ("", *container.command[:1])
        if any((container.image, program) in own for program in programs):
            yield (*at, "command")


def _containers(resource: Resource) -> Iterator[tuple[FieldPath, PodContainer]]:
    pod = template_of(resource).spec
    groups = (("containers", pod.containers), ("initContainers", pod.init_containers))
    for field, containers in groups:
        for index, container in enumerate(containers):
            yield (*pod_path(resource), field, index), container


def _warn_of_mounts(resource: Resource) -> Iterator[Problem]:
    """A warning about where the files of a pod's volumes are."""
    for at, container in _containers(resource):
        if container.volume_mounts:
            yield resource.problem(
                (*at, "volumeMounts"),
                "are below {files}, not at the root: paths in args, env and probes lead there, "
                "those fixed in a program do not",
            )
            return


def _warn_of_handlers(resource: Resource, images: Container[str]) -> Iterator[Problem]:
    """Warnings about probes and hooks of containers after the first."""
    first = container_path(resource)
    for at, container in _containers(resource):
        if at == first or container.image not in images:
            continue
        handlers = (container.liveness_probe, container.startup_probe, container.lifecycle)
        for field, value in zip(_FIRST_CONTAINER_ONLY, handlers, strict=True):
            if value is not None:
                yield resource.problem((*at, field), f"{_MESSAGE} beside the first container")
