"""extensions.istio.io/v1alpha1 WasmPlugin: a WebAssembly module in the proxies of workloads."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import PortSelector
from meshproof.model.kube_fields import SILENT
from meshproof.model.telemetry import Traffic
from meshproof.model.workload_selector import WorkloadPolicy

Phase = Literal["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"]
PHASES: tuple[Phase, ...] = ("AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE")
"""In the order in which a connection or a request passes them."""
Sha256 = Annotated[str, Field(pattern=r"^$|^[a-f0-9]{64}$")]
_SCHEME = "file://"


class TrafficSelector(Model):
    """Connections of one side (``CLIENT``: outgoing ones, and a gateway's) and of some ports."""

    mode: Traffic | Literal["UNDEFINED"] = "UNDEFINED"
    ports: list[PortSelector] = []

    def matches(self, side: Literal["CLIENT", "SERVER"], port: int) -> bool:
        """``port`` is a Service's for outgoing connections, a container's for incoming ones, and a
        server's at a gateway; 0 for a listener of several ports."""
        return self.mode in ("UNDEFINED", "CLIENT_AND_SERVER", side) and (
            not self.ports or port in (p.number for p in self.ports)
        )


class EnvVar(Model):
    """A variable of the module's VM. ``HOST``: the proxy's own of that name."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    value: Annotated[str, Field(max_length=2048)] = ""
    value_from: Literal["INLINE", "HOST"] = "INLINE"


class VmConfig(Model):
    env: Annotated[list[EnvVar], Field(max_length=256)] = []


class WasmPlugin(WorkloadPolicy):
    """``priority`` orders plugins of one phase, the highest first; without one a plugin is last."""

    url: str
    sha256: Sha256 = ""
    image_pull_policy: Annotated[
        Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"], SILENT
    ] = "UNSPECIFIED_POLICY"
    """As in Istio, of no meaning for a file."""
    image_pull_secret: Annotated[str | None, SILENT] = None
    verification_key: Annotated[str | None, SILENT] = None
    plugin_config: dict[str, Any] = {}
    plugin_name: str = ""
    phase: Phase = "UNSPECIFIED_PHASE"
    priority: int | None = None
    fail_strategy: Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"] = "FAIL_CLOSE"
    vm_config: VmConfig = VmConfig.model_construct()
    match: list[TrafficSelector] = []
    type: Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"] = "UNSPECIFIED_PLUGIN_TYPE"

    @field_validator("url")
    @classmethod
    def _is_file(cls, url: str) -> str:
        """Modules of registries and of other hosts are not fetched. Without a scheme, Istio reads
        oci://."""
        if not url.startswith(_SCHEME):
            raise FieldError(
                f'"{url}" names a module of a registry or another host; wanted file://PATH, a file '
                "of this machine or one beside this YAML",
                unsupported=True,
            )
        if url == _SCHEME:
            raise ValueError("names no file; wanted file://PATH")
        return url

    @property
    def path(self) -> PurePosixPath:
        """The module's file; a relative one is beside the YAML that names it."""
        return PurePosixPath(self.url.removeprefix(_SCHEME))

    @property
    def is_network(self) -> bool:
        """Whether it sees connections rather than requests."""
        return self.type == "NETWORK"

    def matches(self, side: Literal["CLIENT", "SERVER"], port: int) -> bool:
        """Whether it is for a listener of this side and port (``TrafficSelector.matches``)."""
        return not self.match or any(m.matches(side, port) for m in self.match)
