"""The project's images: built from its Dockerfiles, tagged by content, brought to the nodes.

A tag is a hash of everything that goes into the image: the build context, its arguments, the wheels
and the base image's id. So an image that exists under its tag is never built again, and no stale
image ever runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meshproof.cluster.assets import LABEL, OWNED
from meshproof.cluster.commands import Runner
from meshproof.cluster.docker import inspect_image
from meshproof.cluster.settings import Settings
from meshproof.errors import UsageError
from meshproof.project import Build, Project
from meshproof.project_path import PROJECT_FILE

WHEELS = "wheelhouse"
"""Where the Dockerfile looks for wheels, in its context."""


UNAVAILABLE_REMEDY = (
    'build it: add {"build": {"context": "FOLDER"}} to its entry under images: in '
    f"{PROJECT_FILE} or in --images FILE; or load it into the nodes: `kind load docker-image`; or "
    "push it to a registry that they reach"
)
"""What to do about an image that no node can start."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image to build. ``name`` is its name in the manifests."""

    name: str
    build: Build


def project_images(project: Project) -> list[Image]:
    """The images of the workloads, then those of outside hosts."""
    images = [Image(name, c.build) for name, c in project.images.items() if c.build]
    for host, outside in project.outside.items():
        if outside.container:
            images.append(Image(outside_image(host), outside.container.build))
    return images


def outside_image(host: str) -> str:
    """The image of an outside host: ``meshproof/outside-msgd.test``."""
    return f"meshproof/outside-{host}"


class ImageBuilder:
    """Builds images, and brings them to where a cluster's nodes find them."""

    def __init__(self, runner: Runner, settings: Settings, root: Path) -> None:
        self._runner = runner
        self._settings = settings
        self._root = root

    def build(self, images: list[Image]) -> dict[str, str]:
        """Builds each one. Name in the manifests -> name with the content's tag."""
        base = self._base_id()
        tags = {}
        for image in images:
            tag = tags[image.name] = self._tag(image, base)
            if inspect_image(self._runner, tag):
                self._runner.note(f"image {tag} is built already")
            else:
                self._build(image, tag)
        return tags

    def load(self, cluster: str, tags: list[str]) -> None:
        """Into every node of a kind cluster; kind skips images that the nodes have. All in one
        command, so that the layers that they share are copied once."""
        argv = ("kind", "load", "docker-image", *tags, "--name", cluster)
        doing = f"loading {', '.join(tags)} into cluster {cluster}"
        self._runner.run(argv, doing, timeout=600)

    def push(self, tags: list[str]) -> None:
        for tag in tags:
            self._runner.run(("docker", "push", tag), f"pushing image {tag}", timeout=600)

    def _base_id(self) -> str:
        """The base image's id, so that a new base under an old name gives new tags; empty where
        Docker has yet to pull it."""
        base = self._settings.base_image
        images = inspect_image(self._runner, base) if base else []
        return str(images[0]["Id"]) if images else ""

    def _tag(self, image: Image, base: str) -> str:
        context = self._context(image.build)
        parts = [image.build.dockerfile, json.dumps(image.build.args, sort_keys=True)]
        parts += [self._settings.base_image, base]
        digest = hashlib.sha256("\0".join(parts).encode())
        for relative, file in _files(context, self._settings.wheelhouse):
            digest.update(f"\0{relative}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        name = image.name.rpartition(":")[0] or image.name
        registry = f"{self._settings.registry}/" if self._settings.registry else ""
        return f"{registry}{name}:{digest.hexdigest()[:12]}"

    def _context(self, build: Build) -> Path:
        context = self._root / build.context
        if not (context / build.dockerfile).is_file():
            raise UsageError(f"{context / build.dockerfile}: no such Dockerfile")
        return context

    def _build(self, image: Image, tag: str) -> None:
        """From a copy of the context with the wheels beside it."""
        context = self._context(image.build)
        args = dict(image.build.args)
        if self._settings.base_image:
            args["BASE"] = self._settings.base_image
        with self._runner.temporary_copy(_files(context, self._settings.wheelhouse)) as folder:
            self._runner.run(
                build_argv(tag, image.build.dockerfile, args),
                f"building image {tag}",
                timeout=900,
                cwd=folder,
            )


def build_argv(tag: str, dockerfile: str, args: Mapping[str, str]) -> list[str]:
    """The same for the classic builder and BuildKit."""
    flags = [flag for key, value in args.items() for flag in ("--build-arg", f"{key}={value}")]
    return [
        "docker", "build", "--quiet", "--tag", tag, "--label", f"{LABEL}={OWNED}",
        "--file", dockerfile, *flags, ".",
    ]  # fmt: skip


def _files(context: Path, wheelhouse: Path | None) -> Iterator[tuple[str, Path]]:
    """Relative path and file of everything that the build sees, sorted."""
    for file in sorted(context.rglob("*")):
        relative = file.relative_to(context)
        ours = wheelhouse is None or WHEELS not in relative.parts
        if file.is_file() and "__pycache__" not in relative.parts and ours:
            yield relative.as_posix(), file
    for wheel in sorted(wheelhouse.glob("*.whl")) if wheelhouse else ():
        yield f"{WHEELS}/{wheel.name}", wheel
