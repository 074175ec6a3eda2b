"""Settings of a mesh on Kubernetes, read once from the environment; one error has all problems."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import UsageError

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?")
_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Empty texts mean the tool's own default."""

    context: str = ""
    """``CONTEXT``: a kubectl context; its cluster exists and is never created or deleted."""
    kind_cluster: str = "meshproof"
    """``KIND_CLUSTER``"""
    kind_nodes: int = 1
    """``KIND_NODES``: the first is the control plane, which runs workloads too; the rest are
    workers."""
    kind_node_image: str = ""
    """``KIND_NODE_IMAGE``"""
    base_image: str = ""
    """``BASE_IMAGE`` of the services: a Debian-like system with python3."""
    wheelhouse: Path | None = None
    """``WHEELHOUSE``: a folder of wheels; the build then asks no package index."""
    registry: str = ""
    """``REGISTRY``: where images are pushed to, for a cluster that they cannot be loaded into."""
    istio_hub: str = ""
    """``ISTIO_HUB``"""
    istio_tag: str = ""
    """``ISTIO_TAG``"""
    istio_set: tuple[str, ...] = ()
    """``ISTIO_SET``: values for ``istioctl install --set``, separated by spaces, quoted as in a
    shell."""
    istio_skip: bool = False
    """``ISTIO_SKIP=1``: the mesh is installed already."""
    gateway_api_crds: Path | None = None
    """``GATEWAY_API_CRDS``: a file or folder, applied where the cluster has none."""
    gateway_url: str = ""
    """``GATEWAY_URL``: the ingress gateway as this machine reaches it (CONTEXT)."""

    @property
    def on_kind(self) -> bool:
        return not self.context


def from_env(environ: Mapping[str, str], *, kind: str) -> Settings:
    """``kind`` is what ``MESH`` says: ``kind`` or ``context``. Raises UsageError."""
    read = _EnvironReader(environ)
    settings = Settings(
        context=read.text("CONTEXT") if kind == "context" else "",
        kind_cluster=read.name("KIND_CLUSTER", "meshproof"),
        kind_nodes=read.count("KIND_NODES", 1),
        kind_node_image=read.text("KIND_NODE_IMAGE"),
        base_image=read.text("BASE_IMAGE"),
        wheelhouse=read.wheels("WHEELHOUSE"),
        registry=read.text("REGISTRY").rstrip("/"),
        istio_hub=read.text("ISTIO_HUB"),
        istio_tag=read.text("ISTIO_TAG"),
        istio_set=read.words("ISTIO_SET"),
        istio_skip=read.switch("ISTIO_SKIP"),
        gateway_api_crds=read.path("GATEWAY_API_CRDS"),
        gateway_url=read.text("GATEWAY_URL").rstrip("/"),
    )
    if kind == "context" and not settings.context:
        read.problems.append("CONTEXT is not set; wanted a name of `kubectl config get-contexts`")
    if read.problems:
        raise UsageError("\n".join(read.problems))
    return settings


class _EnvironReader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def name(self, name: str, default: str) -> str:
        value = self.text(name) or default
        if not _NAME.fullmatch(value):
            self._bad(name, "lower-case letters, digits, dots and dashes, at most 50")
        return value

    def count(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 20:
            self._bad(name, "a number from 1 to 20")
            return default
        return int(value)

    def switch(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in _ON | _OFF:
            self._bad(name, "1 or 0")
        return value in _ON

    def words(self, name: str) -> tuple[str, ...]:
        try:
            words = tuple(shlex.split(self.text(name)))
        except ValueError as error:
            self._bad(name, f"words separated by spaces ({error})")
            return ()
        if any("=" not in item for item in words):
            self._bad(name, "PATH=VALUE, several separated by spaces")
        return words

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        if not value:
            return None
        path = Path(value).absolute()
        if not path.exists():
            self._bad(name, "a file or folder that exists")
        return path

    def wheels(self, name: str) -> Path | None:
        path = self.path(name)
        if path is not None and path.exists() and not any(path.glob("*.whl")):
            self._bad(name, "a folder that holds *.whl files")
        return path

    def _bad(self, name: str, wanted: str) -> None:
        self.problems.append(f"{name}={self._environ.get(name, '')!r}: wanted {wanted}")
