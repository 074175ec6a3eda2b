"""What is in a pod's volumes, and which of a container's words name a file there. Pure."""

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
    """What a volume holds at first; ``claim`` names the folder that outlives the replica."""

    name: str
    files: tuple[VolumeFile, ...] = ()
    claim: str = ""


@dataclass(frozen=True, slots=True)
class _Keys:
    """Which keys of which object."""

    kind: str
    name: str
    items: Sequence[KeyToPath]
    optional: bool


def read_volumes(
    workload: Resource, resources: Iterable[Resource], fields: Mapping[str, str]
) -> tuple[list[VolumeContent], list[Problem]]:
    """Every volume of a workload's pods, and what is missing for them."""
    reading = _Reading(workload, resources, fields)
    pod: PodSpec = template_of(workload).spec
    base = (*pod_path(workload), "volumes")
    found = [reading.volume(v, (*base, at)) for at, v in enumerate(pod.volumes)]
    return found, reading.problems


class _Reading:
    def __init__(
        self, workload: Resource, resources: Iterable[Resource], fields: Mapping[str, str]
    ) -> None:
        self.workload, self.fields = workload, fields
        self.problems: list[Problem] = []
        self.known = {
            (r.kind, r.name): r.spec
            for r in resources
            if r.namespace == workload.namespace and isinstance(r.spec, ConfigMap | Secret)
        }

    def volume(self, volume: Volume, at: FieldPath) -> VolumeContent:
        files: list[VolumeFile] = []
        if one := volume.config_map:
            keys = _Keys("ConfigMap", one.name, one.items, one.optional)
            files += self.keys(keys, one.default_mode, (*at, "configMap"))
        if secret := volume.secret:
            keys = _Keys("Secret", secret.secret_name, secret.items, secret.optional)
            files += self.keys(keys, secret.default_mode, (*at, "secret"))
        if volume.downward_api:
            files += self.fields_of(volume.downward_api, (*at, "downwardAPI"), None)
        if volume.projected:
            mode = volume.projected.default_mode
            for index, source in enumerate(volume.projected.sources):
                files += self.projected(source, mode, (*at, "projected", "sources", index))
        claim = volume.persistent_volume_claim
        return VolumeContent(volume.name, tuple(files), claim.claim_name if claim else "")

    def projected(
        self, source: ProjectedSource, mode: int | None, at: FieldPath
    ) -> Iterator[VolumeFile]:
        if one := source.config_map:
            keys = _Keys("ConfigMap", one.name, one.items, one.optional)
            yield from self.keys(keys, mode, (*at, "configMap"))
        if secret := source.secret:
            keys = _Keys("Secret", secret.name, secret.items, secret.optional)
            yield from self.keys(keys, mode, (*at, "secret"))
        if source.downward_api:
            yield from self.fields_of(source.downward_api, (*at, "downwardAPI"), mode)

    def keys(self, wanted: _Keys, mode: int | None, at: FieldPath) -> Iterator[VolumeFile]:
        found = self.known.get((wanted.kind, wanted.name))
        if found is None:
            if not wanted.optional:
                said = f"there is no {wanted.kind} {wanted.name}"
                self.problems.append(self.workload.problem(at, said))
            return
        default = _MODE if mode is None else mode
        if not wanted.items:
            yield from (VolumeFile(key, data, default) for key, data in found.files.items())
        for index, item in enumerate(wanted.items):
            if item.key in found.files:
                own = default if item.mode is None else item.mode
                yield VolumeFile(item.path, found.files[item.key], own)
            elif not wanted.optional:
                said = f"{wanted.kind} {wanted.name} has no key {item.key}"
                self.problems.append(self.workload.problem((*at, "items", index, "key"), said))

    def fields_of(
        self, volume: FieldFiles, at: FieldPath, mode: int | None
    ) -> Iterator[VolumeFile]:
        default = next((m for m in (volume.default_mode, mode) if m is not None), _MODE)
        for index, item in enumerate(volume.items):
            if item.field_ref is None:
                continue
            path = item.field_ref.field_path
            if path not in self.fields:
                known = ", ".join(sorted(self.fields))
                said = f"no field {path} is known; known are {known}"
                self.problems.append(self.workload.problem((*at, "items", index), said))
                continue
            own = default if item.mode is None else item.mode
            yield VolumeFile(item.path, self.fields[path].encode(), own)


def find_unknown_mounts(workload: Resource, claims: Iterable[str]) -> Iterator[Problem]:
    """Mounts of volumes that the pod does not have."""
    pod: PodSpec = template_of(workload).spec
    known = {*claims, *(volume.name for volume in pod.volumes)}
    groups = (("containers", pod.containers), ("initContainers", pod.init_containers))
    for field, containers in groups:
        for at, container in enumerate(containers):
            for index, mount in enumerate(container.volume_mounts):
                if mount.name not in known:
                    path = (*pod_path(workload), field, at, "volumeMounts", index, "name")
                    found = f"{mount.name} is no volume of this pod"
                    wanted = f"one of {', '.join(sorted(known))}" if known else "a volume"
                    yield workload.problem(path, found, wanted)


def path_relocator(mounts: Iterable[VolumeMount], root: str) -> Callable[[str], str]:
    """Turns the paths of a container's mounts, wherever they stand in a word, into those below
    ``root``: ``--menu=/etc/shop/menu.json`` into ``--menu=ROOT/etc/shop/menu.json``."""
    paths = sorted((normalize_path(mount.mount_path) for mount in mounts), key=len, reverse=True)
    named = "|".join(re.escape(path) for path in paths if path != "/")
    if not named:
        return lambda text: text
    pattern = re.compile(rf"(?<![^\s=:,;\"'(\[])(?:{named})(?![^/\s:,;\"')\]])")
    return lambda text: pattern.sub(lambda match: root + match[0], text)


def normalize_path(path: str) -> str:
    """``/etc/shop/`` as ``/etc/shop``."""
    return str(PurePosixPath("/", path))
