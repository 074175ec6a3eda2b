"""``meshproof.yaml``: which manifests, images, outside hosts and rules a mesh has.

Images and outside hosts may also stand in files of their own (``--images``, ``--outside``), with
the same entries at top level. Paths are relative to the file that names them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from meshproof.errors import Problem, Refused
from meshproof.model.base import FieldError, Model
from meshproof.model.normalize import prepare
from meshproof.model.reader import read_file
from meshproof.placeholders import check, expand, fill
from meshproof.sources.documents import Document, read_documents

__all__ = [
    "ImageCommand",
    "OutsideHost",
    "Project",
    "RealAddress",
    "expand",
    "load_project",
]

M = TypeVar("M", bound=Model)
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
TODO = "TODO"
"""What `meshproof init` writes where it does not know."""
_PORT_WANTED = "a port's number from 1 to 65535"
_ADDRESS_WANTED = 'a port of this machine, "127.x.y.z:port", or null for a command\'s own'


class RealAddress(BaseModel):
    """Where an outside host's port really is: always on loopback."""

    model_config = ConfigDict(frozen=True)
    ip: str
    port: int


def _port(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,4}", value):
        value = int(value)  # keys of a mapping are texts
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise ValueError(f"is no port; wanted {_PORT_WANTED}")
    return value


def _address(value: Any) -> RealAddress | None:
    if value is None or isinstance(value, RealAddress):
        return value
    if value == TODO:
        raise ValueError(f"is still {TODO}; wanted {_ADDRESS_WANTED}")
    if isinstance(value, int) and not isinstance(value, bool):
        return RealAddress(ip="127.0.0.1", port=_port(value))
    ip, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not colon:
        raise ValueError(f"is no address; wanted {_ADDRESS_WANTED}")
    try:
        on_loopback = ipaddress.ip_address(ip) in _LOOPBACK
    except ValueError:
        raise ValueError(f'"{ip}" is no address; wanted {_ADDRESS_WANTED}') from None
    if not on_loopback:
        found = f"{ip} is beyond this machine, and test traffic never leaves it"
        raise ValueError(f"{found}; wanted an address in {_LOOPBACK}")
    return RealAddress(ip=ip, port=_port(port))


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError(f'"{value}" is no host; wanted a lower-case DNS name or an address')
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f'is "{value}"; wanted a path that begins with /')
    return value


def _done(words: list[str]) -> list[str]:
    if words and words[0] == TODO:
        wanted = "the program first, and {ip} and {port}, or {socket}, where it is to listen"
        raise FieldError(f"is still {TODO}; wanted {wanted}", 0)
    return words


Word = Annotated[str, AfterValidator(check)]
Command = Annotated[list[Word], Field(min_length=1), AfterValidator(_done)]
Environment = dict[str, Word]


class Build(Model):
    """How ``docker build`` makes an image; used on a cluster only. Paths count from the file."""

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

    ``{here}`` is replaced already, the other placeholders stand for what the mesh will choose.
    """

    command: Command
    env: Environment = Field(default_factory=dict)
    commands: dict[str, Command] = Field(default_factory=dict)
    """What stands for the first word of a container's own command; the rest of that follows."""
    exec_probes: bool = True
    """Whether probes and hooks that run a command of the image are honoured; where not, a
    container is ready as soon as it listens."""
    build: Build | None = None
    """How it is made for a cluster; without it the cluster pulls it."""


class OutsideHost(Model):
    """A host beyond the mesh; ``ports`` maps the port of a URL to where it really is.

    None stands for the port that meshproof gives to ``command`` as ``{ip}`` and ``{port}``.
    """

    ports: Annotated[
        dict[
            Annotated[int, BeforeValidator(_port)],
            Annotated[RealAddress | None, BeforeValidator(_address)],
        ],
        Field(min_length=1),
    ]
    command: Command | None = None
    env: Environment = Field(default_factory=dict)
    aliases: list[Annotated[str, AfterValidator(_host)]] = Field(default_factory=list)
    ready: Annotated[str, AfterValidator(_path)] | None = None
    """A path that answers 200 when the command is ready; without it an open port is enough."""
    metrics: Annotated[str, AfterValidator(_path)] | None = None
    """A path where the command says what it counts, as Prometheus text."""
    container: Container | None = None
    """What it is on a cluster; without it the cluster is expected to reach the host itself."""

    @model_validator(mode="after")
    def _command_for_null(self) -> Self:
        ours = [port for port, real in self.ports.items() if real is None]
        if ours and not self.command:
            found = "is null, but there is no command that could listen"
            raise FieldError(
                f"{found}; wanted a port of this machine, or a command", "ports", str(ours[0])
            )
        if self.command is None and (self.env or self.ready):
            raise FieldError(
                "is for a command, and there is none; wanted a command",
                "env" if self.env else "ready",
            )
        return self


class ProjectFile(Model):
    manifests: Annotated[list[str], Field(min_length=1)]
    rules: list[str] = Field(default_factory=list)
    images: dict[str, Any] = Field(default_factory=dict)
    outside: dict[str, Any] = Field(default_factory=dict)


E = TypeVar("E", ImageCommand, OutsideHost)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that ``up`` needs to know, with absolute paths."""

    root: Path
    """The folder of the project file."""
    manifests: tuple[Path | str, ...] = ()
    """Files and folders; ``-`` is standard input, whose text is ``stdin``."""
    rules: tuple[Path, ...] = ()
    images: Mapping[str, ImageCommand] = field(default_factory=dict)
    outside: Mapping[str, OutsideHost] = field(default_factory=dict)
    stdin: str | None = None


def load_project(
    path: str | Path | None = None,
    *,
    images: str | Path | None = None,
    outside: str | Path | None = None,
    manifests: Sequence[str | Path] = (),
) -> Project:
    """Read a project file and the two extra files, each where it is given.

    ``manifests`` take the place of the file's; an image or host of an extra file replaces the
    project file's entry of that name. Raises ``Refused`` with every problem of all files.
    """
    reading = _Reading()
    project = reading.project(Path(path)) if path else Project(Path.cwd())
    hosts = {**project.outside, **reading.own_file(outside, OutsideHost)}
    commands = {**project.images, **reading.own_file(images, ImageCommand)}
    reading.check_hosts(hosts)
    if reading.problems:
        raise Refused(reading.problems)
    given = tuple(p if str(p) == "-" else Path(p).absolute() for p in manifests)
    return Project(
        root=project.root,
        manifests=given or project.manifests,
        rules=project.rules,
        images=commands,
        outside=hosts,
    )


@dataclass(slots=True)
class _Reading:
    """What was wrong so far, and where each entry stands."""

    problems: list[Problem] = field(default_factory=list)
    places: dict[str, tuple[Document, tuple[str, ...]]] = field(default_factory=dict)

    def project(self, path: Path) -> Project:
        root = path.absolute().parent
        document = _document(path, self.problems)
        if document is None:
            return Project(root)
        value = document.value
        read = _validated(document, ProjectFile, value, (), self.problems)
        images = self.entries(document, ImageCommand, value.get("images"), ("images",))
        outside = self.entries(document, OutsideHost, value.get("outside"), ("outside",))
        if read is None:
            return Project(root, outside=outside)
        return Project(
            root=root,
            manifests=tuple(root / p for p in read.manifests),
            rules=tuple(root / p for p in read.rules),
            images=images,
            outside=outside,
        )

    def own_file(self, path: str | Path | None, model: type[E]) -> dict[str, E]:
        """The entries of a file of their own; none without a file."""
        document = _document(Path(path), self.problems) if path else None
        return self.entries(document, model, document.value, ()) if document else {}

    def entries(
        self, document: Document, model: type[E], values: Any, base: tuple[str, ...]
    ) -> dict[str, E]:
        """The entries of a table, each validated on its own."""
        found: dict[str, E] = {}
        folder = Path(document.source.file).absolute().parent
        for name, value in (values if isinstance(values, dict) else {}).items():
            at = (*base, name)
            entry = _validated(document, model, value, at, self.problems)
            if entry is not None:
                found[name] = _in_folder(entry, folder)
                if model is OutsideHost:
                    self.places[name] = (document, at)
        return found

    def check_hosts(self, hosts: Mapping[str, OutsideHost]) -> None:
        """A host has a name that can stand in a URL, and no two share a name."""
        owners: dict[str, str] = {}
        for name, host in hosts.items():
            document, at = self.places[name]
            if not _HOST.fullmatch(name):
                wanted = "a lower-case DNS name or an address"
                self.problems.append(document.problem(at, "is no host", wanted))
            for word in (name, *host.aliases):
                other = owners.setdefault(word, name)
                if other != name:
                    found = f"{word} is also a name of {other}"
                    self.problems.append(document.problem(at, found, "different names"))


def _document(path: Path, problems: list[Problem]) -> Document | None:
    """The file's one document, or None and at least one more problem."""
    text = read_file(path, problems)
    if text is None:
        return None
    documents, wrong = read_documents(text, str(path), "a mapping")
    problems += wrong
    if len(documents) > 1:
        problems.append(documents[1].problem((), "is a second document", "one"))
    elif not documents and not wrong:
        problems.append(Problem(str(path), 0, "", "", "holds no document", "a mapping", ""))
    return documents[0] if documents else None


def _in_folder(entry: E, folder: Path) -> E:
    """``{here}`` is the folder of the file that says it, so it is replaced here and now."""

    def placed(words: list[str]) -> list[str]:
        return [fill(word, "here", str(folder)) for word in words]

    env = dict(zip(entry.env, placed(list(entry.env.values())), strict=True))
    made = {"env": env, "command": entry.command and placed(entry.command)}
    if isinstance(entry, ImageCommand):
        others = {word: placed(command) for word, command in entry.commands.items()}
        return entry.model_copy(update={**made, "commands": others})
    return entry.model_copy(update=made)


def _validated(
    document: Document, model: type[M], value: Any, base: tuple[str, ...], problems: list[Problem]
) -> M | None:
    prepared = prepare(model, value, base=base)
    try:
        return model.model_validate(prepared.value)
    except ValidationError as error:
        from meshproof.model.validation_errors import explain  # noqa: PLC0415  # only for a message

        problems += explain(error, document, model, prepared, base)
        return None
