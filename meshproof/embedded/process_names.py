"""Names of a mesh's processes and of their log files: a replica's app has the replica's own."""

from __future__ import annotations

from pathlib import Path

from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.telemetry.log_lines import Part

_ENVOY = ".envoy"
_OUTSIDE = "outside."
_ACCESS_LOG = ".access.jsonl"
_LOG = ".log"


def envoy_process(node: str) -> str:
    """``svca-1.envoy``."""
    return node + _ENVOY


def outside_process(host: str) -> str:
    """``outside.msgd.test``."""
    return _OUTSIDE + host


def container_process(replica: str, container: str) -> str:
    """A container of the pod other than the app: ``svca-1.init``."""
    return f"{replica}.{container}"


def owner_of(process: str) -> tuple[str, Part]:
    """The replica, the outside host or ``gateway``, and which part of it a process is."""
    if process.endswith(_ENVOY):
        node = process.removesuffix(_ENVOY)
        return ("gateway" if node == INGRESS_GATEWAY else node, "sidecar")
    return (process.removeprefix(_OUTSIDE), "app")


def app_log_file(process: str) -> str:
    return process + _LOG


def envoy_log_file(node: str) -> str:
    """What an Envoy writes about itself."""
    return envoy_process(node) + _LOG


def access_log_file(node: str) -> str:
    return node + _ACCESS_LOG


def node_of(access_log: Path) -> str:
    """The Envoy that writes an access log."""
    return access_log.name.removesuffix(_ACCESS_LOG)


def writer_of(log: Path) -> tuple[str, Part] | None:
    """Whose log it is; None for what an Envoy writes about itself."""
    if log.name.endswith(_ACCESS_LOG):
        return node_of(log), "sidecar"
    if log.suffix != _LOG or log.stem.endswith(_ENVOY):
        return None
    return owner_of(log.stem)
