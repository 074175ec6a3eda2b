"""The files of a pod's volumes, and the arguments of a container that name one. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from meshproof.errors import Problem
from meshproof.model.kube_config import ConfigMap, Secret
from meshproof.model.kube_pod import PodSpec
from meshproof.model.kube_volumes import FieldFiles, KeyToPath, ProjectedSource, Volume, VolumeMount
from meshproof.model.kube_workloads import pod_path, template_of
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

_MODE = 0o644


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """One file of a volume, by its path there."""

    path: str
    data: bytes
    mode: int = _MODE


@dataclass(frozen=True, slots=True)
class VolumeContent:
    """The initial content of a volume; ``claim`` names the folder that outlives the replica."""

    name: str
    files: tuple[VolumeFile, ...] = ()
    claim: str = ""


@dataclass(frozen=True, slots=True)
class _KeySelection:
    """The selected keys of one object."""

    kind: str
    name: str
    items: Sequence[KeyToPath]
    optional: bool


def read_volumes(
    workload: Resource, resources: Iterable[Resource], fields: Mapping[str, str]
) -> tuple[list[VolumeContent], list[Problem]]:
    """Every volume of a workload's pods, and problems with their sources."""
    reader = _VolumeReader(workload, resources, fields)
    pod: PodSpec = template_of(workload).spec
    base = (*pod_path(workload), "volumes")
    volumes = [reader.read_volume(v, (*base, at)) for at, v in enumerate(pod.volumes)]
    return volumes, reader.problems


class _VolumeReader:
    def __init__(
        self, workload: Resource, resources: Iterable[Resource], fields: Mapping[str, str]
    ) -> None:
        self.workload, self.fields = workload, fields
        self.problems: list[Problem] = []
        self.sources = {
            (r.kind, r.name): r.spec
            for r in resources
            if r.namespace == workload.namespace and isinstance(r.spec, ConfigMap | Secret)
        }

    def read_volume(self, volume: Volume, at: FieldPath) -> VolumeContent:
        files: list[VolumeFile] = []
        if one := volume.config_map:
            keys = _KeySelection("ConfigMap", one.name, one.items, one.optional)
            files += self.read_keys(keys, one.default_mode, (*at, "configMap"))
        if secret := volume.secret:
            keys = _KeySelection("Secret", secret.secret_name, secret.items, secret.optional)
            files += self.read_keys(keys, secret.default_mode, (*at, "secret"))
        if volume.downward_api:
            files += self.read_fields(volume.downward_api, (*at, "downwardAPI"), None)
        if volume.projected:
            mode = volume.projected.default_mode
            for index, source in enumerate(volume.projected.sources):
                files += self.read_projected(source, mode, (*at, "projected", "sources", index))
        claim = volume.persistent_volume_claim
        return VolumeContent(volume.name, tuple(files), claim.claim_name if claim else "")

    def read_projected(
        self, source: ProjectedSource, mode: int | None, at: FieldPath
    ) -> Iterator[VolumeFile]:
        if one := source.config_map:
            keys = _KeySelection("ConfigMap", one.name, one.items, one.optional)
            yield from self.read_keys(keys, mode, (*at, "configMap"))
        if secret := source.secret:
            keys = _KeySelection("Secret", secret.name, secret.items, secret.optional)
            yield from self.read_keys(keys, mode, (*at, "secret"))
        if source.downward_api:
            yield from self.read_fields(source.downward_api, (*at, "downwardAPI"), mode)

    def read_keys(
        self, selection: _KeySelection, mode: int | None, at: FieldPath
    ) -> Iterator[VolumeFile]:
        source = self.sources.get((selection.kind, selection.name))
        if source is None:
            if not selection.optional:
                message = f"there is no {selection.kind} {selection.name}"
                self.problems.append(self.workload.problem(at, message))
            return
        default = _MODE if mode is None else mode
        if not selection.items:
            yield from (VolumeFile(key, data, default) for key, data in source.files.items())
        for index, item in enumerate(selection.items):
            if item.key in source.files:
                mode_of_file = default if item.mode is None else item.mode
                yield VolumeFile(item.path, source.files[item.key], mode_of_file)
            elif not selection.optional:
                message = f"{selection.kind} {selection.name} has no key {item.key}"
                self.problems.append(self.workload.problem((*at, "items", index, "key"), message))

    def read_fields(
        self, volume: FieldFiles, at: FieldPath, mode: int | None
    ) -> Iterator[VolumeFile]:
        default = next((m for m in (volume.default_mode, mode) if m is not None), _MODE)
        for index, item in enumerate(volume.items):
            if item.field_ref is None:
                continue
            path = item.field_ref.field_path
            if path not in self.fields:
                names = ", ".join(sorted(self.fields))
                message = f"no field {path} is known; known are {names}"
                self.problems.append(self.workload.problem((*at, "items", index), message))
                continue
            mode_of_file = default if item.mode is None else item.mode
            yield VolumeFile(item.path, self.fields[path].encode(), mode_of_file)


def find_unknown_mounts(workload: Resource, claims: Iterable[str]) -> Iterator[Problem]:
    """Problems with mounts of volumes that the pod does not have."""
    pod: PodSpec = template_of(workload).spec
    volumes = {*claims, *(volume.name for volume in pod.volumes)}
    groups = (("containers", pod.containers), ("initContainers", pod.init_containers))
    for field, containers in groups:
        for position, container in enumerate(containers):
            for index, mount in enumerate(container.volume_mounts):
                if mount.name not in volumes:
                    path = (*pod_path(workload), field, position, "volumeMounts", index, "name")
                    message = f"{mount.name} is not a volume of this pod"
                    expected = f"one of {', '.join(sorted(volumes))}" if volumes else "a volume"
                    yield workload.problem(path, message, expected)


def path_relocator(mounts: Iterable[VolumeMount], root: str) -> Callable[[str], str]:
    """A function that moves the paths of a container's mounts, anywhere in a text, below ``root``:
    ``--menu=/etc/shop/menu.json`` becomes ``--menu=ROOT/etc/shop/menu.json``."""
    paths = sorted((normalize_path(mount.mount_path) for mount in mounts), key=len, reverse=True)
    alternatives = "|".join(re.escape(path) for path in paths if path != "/")
    if not alternatives:
        return lambda text: text
    pattern = re.compile(rf"(?<![^\s=:,;\"'(\[])(?:{alternatives})(?![^/\s:,;\"')\]])")
    return lambda text: pattern.sub(lambda match: root + match[0], text)


def normalize_path(path: str) -> str:
    """``/etc/shop/`` as ``/etc/shop``."""
    return str(PurePosixPath("/", path))
