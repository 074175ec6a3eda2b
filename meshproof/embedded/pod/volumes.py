"""A replica's volumes as folders: each container has its mounts below a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.model.kube_volumes import VolumeMount
from meshproof.model.volume_files import VolumeContent, normalize_path

_READABLE = 0o400
_FOLDER, _EMPTY_FOLDER = 0o755, 0o777
"""The kubelet's modes of volumes with files, and of those that containers fill."""


class Volumes:
    """``folder`` is the replica's own; ``claims`` belongs to the mesh, and its content stays."""

    def __init__(self, folder: Path, claims: Path) -> None:
        self._folder, self._claims = folder, claims
        self._volumes: dict[str, Path] = {}

    def write(self, contents: Iterable[VolumeContent]) -> None:
        """Write the files of ConfigMaps, Secrets and fields, again when they have changed."""
        for content in contents:
            volume = self._volume(content)
            for file in content.files:
                path = volume / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                fresh = path.with_name(f".{path.name}.new")
                fresh.write_bytes(file.data)
                fresh.chmod(file.mode | _READABLE)
                fresh.replace(path)

    def _volume(self, content: VolumeContent) -> Path:
        if content.name not in self._volumes:
            base = self._claims / content.claim if content.claim else self._folder / "volumes"
            folder = base if content.claim else base / content.name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whatever user a container has; the folder above is private.
            folder.chmod(_FOLDER if content.files else _EMPTY_FOLDER)
            self._volumes[content.name] = folder
        return self._volumes[content.name]

    def root(self, container: str) -> Path:
        """The value of ``{files}`` in a container."""
        return self._folder / "root" / container

    def places(self, mounts: Iterable[VolumeMount]) -> list[tuple[str, str]]:
        """The sources of a container's mounts, with their real paths; outer paths first."""
        return [
            (str(self._source(mount)), path)
            for path, mount in sorted(
                ((normalize_path(m.mount_path), m) for m in mounts), key=lambda pair: pair[0]
            )
        ]

    def _source(self, mount: VolumeMount) -> Path:
        source = self._volumes[mount.name] / mount.sub_path
        if not source.exists():
            source.mkdir(parents=True)  # as the kubelet does with a subPath
        return source

    def mount(self, container: str, mounts: Iterable[VolumeMount]) -> None:
        """Link a container's mounts to its volumes; outer paths first, since mounts may nest."""
        root = self.root(container)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for mount in sorted(mounts, key=lambda m: normalize_path(m.mount_path).count("/")):
            path = root / normalize_path(mount.mount_path).lstrip("/")
            source = self._source(mount)
            if path == root:
                raise MeshproofError(f"{container}: a volume cannot be mounted at / here")
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_symlink():
                if path.is_dir():
                    shutil.rmtree(path)
                path.unlink(missing_ok=True)
                path.symlink_to(source)
