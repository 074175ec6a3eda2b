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
from meshproof.model.documents import Document, read_documents
from meshproof.model.prepare import prepare
from meshproof.model.reader import read_file
from meshproof.placeholders import check, expand, fill

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


Word = Annotated[str, AfterValidator(check)]
Command = Annotated[list[Word], Field(min_length=1)]
Environment = dict[str, Word]


class ImageCommand(Model):
    """How a container image runs as a local process; the container's args follow ``command``.

    ``{dir}`` is replaced already, the other placeholders stand for what the mesh will choose.
    """

    command: Command
    env: Environment = Field(default_factory=dict)


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


class _ProjectFile(Model):
    manifests: Annotated[list[str], Field(min_length=1)]
    rules: list[str] = Field(default_factory=list)
    images: dict[str, Any] = Field(default_factory=dict)
    outside: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that ``up`` needs to know, with absolute paths."""

    root: Path
    """The folder of the project file."""
    manifests: tuple[Path | str, ...] = ()
    """Files and folders; ``-`` is standard input."""
    rules: tuple[Path, ...] = ()
    images: Mapping[str, ImageCommand] = field(default_factory=dict)
    outside: Mapping[str, OutsideHost] = field(default_factory=dict)


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
    problems: list[Problem] = []
    project = _project(Path(path), problems) if path else Project(Path.cwd())
    more_images = _extra(images, ImageCommand, problems)
    more_outside = _extra(outside, OutsideHost, problems)
    given = tuple(p if str(p) == "-" else Path(p).absolute() for p in manifests)
    if problems:
        raise Refused(problems)
    return Project(
        root=project.root,
        manifests=given or project.manifests,
        rules=project.rules,
        images={**project.images, **more_images},
        outside={**project.outside, **more_outside},
    )


def _project(path: Path, problems: list[Problem]) -> Project:
    root = path.absolute().parent
    document = _document(path, problems)
    if document is None:
        return Project(root)
    read = _validated(document, _ProjectFile, document.value, (), problems)
    whole = document.value if read is None else read.model_dump()
    images = _entries(document, ImageCommand, whole.get("images"), ("images",), problems)
    outside = _entries(document, OutsideHost, whole.get("outside"), ("outside",), problems)
    if read is None:
        return Project(root)
    return Project(
        root=root,
        manifests=tuple(root / p for p in read.manifests),
        rules=tuple(root / p for p in read.rules),
        images=images,
        outside=outside,
    )


def _extra(path: str | Path | None, model: type[M], problems: list[Problem]) -> dict[str, M]:
    document = _document(Path(path), problems) if path else None
    return _entries(document, model, document.value, (), problems) if document else {}


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


def _entries(
    document: Document, model: type[M], values: Any, base: tuple[str, ...], problems: list[Problem]
) -> dict[str, M]:
    """The entries of a table, each validated on its own; names of hosts must differ."""
    found: dict[str, M] = {}
    owners: dict[str, str] = {}
    for name, value in (values if isinstance(values, dict) else {}).items():
        at = (*base, name)
        entry = _validated(document, model, value, at, problems)
        if entry is None:
            continue
        found[name] = _in_folder(entry, Path(document.source.file).absolute().parent)
        if not isinstance(entry, OutsideHost):
            continue
        if not _HOST.fullmatch(name):
            problems.append(document.problem(at, "is no host", "a lower-case DNS name or address"))
        for host in (name, *entry.aliases):
            other = owners.setdefault(host, name)
            if other != name:
                problems.append(document.problem(at, f"{host} is also a name of {other}", "one"))
    return found


def _in_folder(entry: M, folder: Path) -> M:
    """``{dir}`` is the folder of the file that says it, so it is replaced here and now."""
    assert isinstance(entry, ImageCommand | OutsideHost), "only these have commands"
    env = {key: fill(text, "dir", str(folder)) for key, text in entry.env.items()}
    command = entry.command and [fill(word, "dir", str(folder)) for word in entry.command]
    return entry.model_copy(update={"command": command, "env": env})


def _validated(
    document: Document, model: type[M], value: Any, base: tuple[str, ...], problems: list[Problem]
) -> M | None:
    prepared = prepare(model, value, base=base)
    try:
        return model.model_validate(prepared.value)
    except ValidationError as error:
        from meshproof.model.explain import explain  # noqa: PLC0415  # only for a message

        problems += explain(error, document, model, prepared, base)
        return None
