"""What a Kubernetes object asks for and a local process does without, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.errors import Problem
from meshproof.model.base import Model
from meshproof.model.kube import DeploymentSpec, ServiceSpec
from meshproof.model.kube_pod import NotHonoured, PodSpec
from meshproof.model.kube_workloads import container_path, template_of
from meshproof.model.resource import Path, Resource

_FOUND = "is not honoured by a local process"


def not_honoured(resource: Resource) -> list[Problem]:
    """One warning for each field that is set and has no effect; none for other kinds."""
    if not isinstance(resource.spec, Model):
        return []
    base: Path = () if resource.kind in _ROOTED else ("spec",)
    found = list(_ignored(resource.spec, base))
    if isinstance(resource.spec, DeploymentSpec | PodSpec):
        containers = container_path(resource)[:-1]
        found = [f for f in found if not _in_extra_container(f[0], containers)]
        found += _extra_containers(len(template_of(resource).spec.containers), containers)
    if isinstance(resource.spec, ServiceSpec) and resource.spec.type != "ClusterIP":
        found.append((("spec", "type"), "the service is reached by name, inside the mesh"))
    problems = []
    for path, meaning in found:
        text = f"{_FOUND}: {meaning}" if meaning else _FOUND
        problems.append(resource.problem(path, text))
    return sorted(problems, key=lambda p: p.line)


_ROOTED = frozenset(("Namespace", "ServiceAccount", "ConfigMap", "Secret"))


def _ignored(model: Model, path: Path) -> Iterator[tuple[Path, str]]:
    for name, info in type(model).model_fields.items():
        if name not in model.model_fields_set:
            continue
        value, at = getattr(model, name), (*path, info.alias or name)
        mark = next((m for m in info.metadata if isinstance(m, NotHonoured)), None)
        if mark and not mark.silent and value is not None and value not in mark.harmless:
            yield at, mark.meaning
        elif not mark:
            yield from _below(value, at)


def _below(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Model):
        yield from _ignored(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _below(item, (*path, index))


def _in_extra_container(path: Path, containers: Path) -> bool:
    depth = len(containers)
    return path[:depth] == containers and len(path) > depth and path[depth] != 0


def _extra_containers(count: int, containers: Path) -> list[tuple[Path, str]]:
    meaning = "it is not started, only the first container of a pod is"
    return [((*containers, index), meaning) for index in range(1, count)]
