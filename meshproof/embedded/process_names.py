"""Names of a mesh's processes and logs: a replica's app has the replica's own."""

from __future__ import annotations

from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.telemetry.log_lines import Part

_ENVOY = ".envoy"
_OUTSIDE = "outside."


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
