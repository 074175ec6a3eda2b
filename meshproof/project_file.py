"""The typed model of ``meshproof.yaml``: images, outside hosts, and where the rest is found.

Images and outside hosts may also stand in files of their own (``--images``, ``--outside``), with
the same entries at top level. Paths are relative to the file that names them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from meshproof.model.base_model import FieldError, Model
from meshproof.model.mesh_config import MeshConfig
from meshproof.placeholders import check_placeholders

TODO = "TODO"
"""What `meshproof init` writes where it does not know."""
HOST_EXPECTED = "a lower-case DNS name or an address"
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_PORT_EXPECTED = "a port's number from 1 to 65535"
_ADDRESS_EXPECTED = 'a port of this machine, "127.x.y.z:port", or null for a command\'s own'


class RealAddress(BaseModel):
    """Where an outside host's port really is: always on loopback."""

    model_config = ConfigDict(frozen=True)
    ip: str
    port: int


def _parse_port(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,4}", value):
        value = int(value)  # a mapping's keys are text
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise ValueError(f"is not a port; wanted {_PORT_EXPECTED}")
    return value


def _parse_address(value: Any) -> RealAddress | None:
    if value is None or isinstance(value, RealAddress):
        return value
    if value == TODO:
        raise ValueError(f"is still {TODO}; wanted {_ADDRESS_EXPECTED}")
    if isinstance(value, int) and not isinstance(value, bool):
        return RealAddress(ip="127.0.0.1", port=_parse_port(value))
    ip, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not colon:
        raise ValueError(f"is not an address; wanted {_ADDRESS_EXPECTED}")
    try:
        on_loopback = ipaddress.ip_address(ip) in _LOOPBACK
    except ValueError:
        raise ValueError(f'"{ip}" is not an address; wanted {_ADDRESS_EXPECTED}') from None
    if not on_loopback:
        raise ValueError(
            f"{ip} is beyond this machine, and test traffic never leaves it; "
            f"wanted an address in {_LOOPBACK}"
        )
    return RealAddress(ip=ip, port=_parse_port(port))


def is_host(name: str) -> bool:
    """Whether ``name`` can be the host of a URL: a lower-case DNS name or an address."""
    return bool(_HOST.fullmatch(name))


def _check_host(value: str) -> str:
    if not is_host(value):
        raise ValueError(f'"{value}" is not a host; wanted {HOST_EXPECTED}')
    return value


def _check_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f'is "{value}"; wanted a path that begins with /')
    return value


def _check_complete(command: list[str]) -> list[str]:
    if command and command[0] == TODO:
        expected = "the program first, and {ip} and {port}, or {socket}, where it is to listen"
        raise FieldError(f"is still {TODO}; wanted {expected}", 0)
    return command


Argument = Annotated[str, AfterValidator(check_placeholders)]
Command = Annotated[list[Argument], Field(min_length=1), AfterValidator(_check_complete)]
Environment = dict[str, Argument]
UrlPath = Annotated[str, AfterValidator(_check_path)]


class Build(Model):
    """How ``docker build`` makes an image, for a cluster. Paths are relative to the file."""

    context: str
    dockerfile: str = "Dockerfile"
    """Relative to ``context``."""
    args: dict[str, str] = Field(default_factory=dict)


class Container(Model):
    """An outside host as a container of its own, beside the cluster."""

    build: Build
    env: dict[str, str] = Field(default_factory=dict)


class ImageCommand(Model):
    """How a container image runs as a local process; the container's args follow ``command``.

    ``{here}`` is already filled in. The other placeholders stand for values that the mesh chooses.
    """

    command: Command
    env: Environment = Field(default_factory=dict)
    commands: dict[str, Command] = Field(default_factory=dict)
    """Replacements for the first argument of a container's own command; the others follow it."""
    exec_probes: bool = True
    """Whether probes and hooks that run a command of the image are honoured. If not, a container is
    ready as soon as it listens."""
    build: Build | None = None
    """How it is built for a cluster; without it the cluster pulls the image."""


class OutsideHost(Model):
    """A host beyond the mesh; ``ports`` maps the port of a URL to where it really is.

    None is the port that meshproof gives to ``command`` as ``{ip}`` and ``{port}``.
    """

    ports: Annotated[
        dict[
            Annotated[int, BeforeValidator(_parse_port)],
            Annotated[RealAddress | None, BeforeValidator(_parse_address)],
        ],
        Field(min_length=1),
    ]
    command: Command | None = None
    env: Environment = Field(default_factory=dict)
    aliases: list[Annotated[str, AfterValidator(_check_host)]] = Field(default_factory=list)
    ready: UrlPath | None = None
    """The path that answers 200 when the command is ready; without it an open port is enough."""
    metrics: UrlPath | None = None
    """The path of the command's metrics, in Prometheus' text format."""
    container: Container | None = None
    """What it is on a cluster; without it the cluster is expected to reach the host itself."""

    @model_validator(mode="after")
    def _command_for_null(self) -> Self:
        without_address = [port for port, address in self.ports.items() if address is None]
        if without_address and not self.command:
            raise FieldError(
                "is null, but there is no command that could listen; "
                "wanted a port of this machine, or a command",
                "ports",
                str(without_address[0]),
            )
        if self.command is None and (self.env or self.ready):
            raise FieldError(
                "is for a command, and there is none; wanted a command",
                "env" if self.env else "ready",
            )
        return self


class ProjectFile(Model):
    """The whole file. ``images`` and ``outside`` are validated entry by entry."""

    manifests: Annotated[list[str], Field(min_length=1)]
    rules: list[str] = Field(default_factory=list)
    images: dict[str, Any] = Field(default_factory=dict)
    outside: dict[str, Any] = Field(default_factory=dict)
    mesh_config: MeshConfig = MeshConfig.empty()
    """What holds for the whole mesh; the ConfigMap ``istio`` wins over it, field by field."""
    locustfile: str | None = None
    """What the users of a load do."""
    path: UrlPath = "/"
    """What a load asks for at the gateway where it does not say."""
