"""Reading a project: which manifests, images, outside hosts and rules a mesh has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from meshproof.errors import Problem, Refused
from meshproof.model.base_model import Model
from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig
from meshproof.model.normalize import normalize
from meshproof.placeholders import expand, fill
from meshproof.project_file import (
    HOST_EXPECTED,
    TODO,
    Build,
    ImageCommand,
    OutsideHost,
    ProjectFile,
    RealAddress,
    is_host,
)
from meshproof.sources.documents import Document, read_documents
from meshproof.sources.sources import read_file

__all__ = [
    "TODO",
    "Build",
    "ImageCommand",
    "OutsideHost",
    "Project",
    "RealAddress",
    "expand",
    "load_project",
]
_ANYWHERE = 1024
"""A port of this machine, where nothing is sent."""

M = TypeVar("M", bound=Model)
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
    locustfile: Path | None = None
    """What the users of a load do, where the project says so; it exists."""
    path: str = "/"
    """What a load asks for at the gateway where it does not say."""
    pods: bool = True
    """Whether replicas are in pods, or would be: an image then needs no local command where its
    container names one, and any port is free."""
    mesh_config: MeshConfig = NO_MESH_CONFIG


def load_project(
    path: str | Path | None = None,
    *,
    images: str | Path | None = None,
    outside: str | Path | None = None,
    manifests: Sequence[str | Path] = (),
    runs: bool = True,
) -> Project:
    """Read a project file and the two extra files, each if it is given.

    ``manifests`` replace those of the file. An image or host of an extra file replaces the project
    file's entry of that name. Unless it ``runs``, what ``init`` left to do is passed over: an image
    is left out, and an outside host is anywhere. Raises ``Refused`` with every problem of every
    file.
    """
    reader = _ProjectReader(runs)
    project = reader.read_project(Path(path)) if path else Project(Path.cwd())
    hosts = {**project.outside, **reader.read_extra_file(outside, OutsideHost)}
    commands = {**project.images, **reader.read_extra_file(images, ImageCommand)}
    reader.check_hosts(hosts)
    if reader.problems:
        raise Refused(reader.problems)
    replacements = tuple(p if str(p) == "-" else Path(p).absolute() for p in manifests)
    return replace(
        project, manifests=replacements or project.manifests, images=commands, outside=hosts
    )


@dataclass(slots=True)
class _ProjectReader:
    """Collects the problems of all files, and where each outside host is declared."""

    runs: bool = True
    problems: list[Problem] = field(default_factory=list)
    declarations: dict[str, tuple[Document, tuple[str, ...]]] = field(default_factory=dict)

    def read_project(self, path: Path) -> Project:
        root = path.absolute().parent
        document = _read_document(path, self.problems)
        if document is None:
            return Project(root)
        value = document.value
        file = _validate(document, ProjectFile, value, (), self.problems)
        images = self.read_entries(document, ImageCommand, value.get("images"), ("images",))
        outside = self.read_entries(document, OutsideHost, value.get("outside"), ("outside",))
        if file is None:
            return Project(root, outside=outside)
        return Project(
            root=root,
            manifests=tuple(root / p for p in file.manifests),
            rules=tuple(root / p for p in file.rules),
            images=images,
            outside=outside,
            locustfile=self.find_locustfile(document, root, file.locustfile),
            path=file.path,
            mesh_config=file.mesh_config,
        )

    def find_locustfile(self, document: Document, root: Path, name: str | None) -> Path | None:
        if name is None:
            return None
        path = root / name
        if not path.is_file():
            expected = "the path of a locustfile, relative to this file"
            problem = document.problem(("locustfile",), f'there is no file "{name}"', expected)
            self.problems.append(problem)
        return path

    def read_extra_file(self, path: str | Path | None, model: type[E]) -> dict[str, E]:
        """The entries of a file that holds nothing else; none without a file."""
        document = _read_document(Path(path), self.problems) if path else None
        return self.read_entries(document, model, document.value, ()) if document else {}

    def read_entries(
        self, document: Document, model: type[E], values: Any, base: tuple[str, ...]
    ) -> dict[str, E]:
        """The entries of a table, each validated on its own."""
        entries: dict[str, E] = {}
        folder = Path(document.location.file).absolute().parent
        for name, value in (values if isinstance(values, dict) else {}).items():
            path = (*base, name)
            if not self.runs and _has_no_command(value):
                continue
            complete = value if self.runs else _with_any_ports(value)
            entry = _validate(document, model, complete, path, self.problems)
            if entry is not None:
                entries[name] = _fill_in_folder(entry, folder)
                if model is OutsideHost:
                    self.declarations[name] = (document, path)
        return entries

    def check_hosts(self, hosts: Mapping[str, OutsideHost]) -> None:
        """A host has a name that can stand in a URL, and no two share a name."""
        owners: dict[str, str] = {}
        for name, host in hosts.items():
            document, path = self.declarations[name]
            if not is_host(name):
                self.problems.append(document.problem(path, "is not a host", HOST_EXPECTED))
            for alias in (name, *host.aliases):
                owner = owners.setdefault(alias, name)
                if owner != name:
                    message = f"{alias} is also a name of {owner}"
                    self.problems.append(document.problem(path, message, "different names"))


def _has_no_command(entry: Any) -> bool:
    """Whether an image's command is still to be told."""
    command = entry.get("command") if isinstance(entry, dict) else None
    return isinstance(command, list) and command[:1] == [TODO]


def _with_any_ports(entry: Any) -> Any:
    """An outside host with a port of this machine for each that is still to be told."""
    ports = entry.get("ports") if isinstance(entry, dict) else None
    if not isinstance(ports, dict):
        return entry
    return {**entry, "ports": {n: _ANYWHERE if at == TODO else at for n, at in ports.items()}}


def _read_document(path: Path, problems: list[Problem]) -> Document | None:
    """The file's one document, or None and at least one more problem."""
    text = read_file(path, problems)
    if text is None:
        return None
    documents, errors = read_documents(text, str(path), "a mapping")
    problems += errors
    if len(documents) > 1:
        problems.append(documents[1].problem((), "is a second document", "one"))
    elif not documents and not errors:
        problems.append(Problem(str(path), 0, "", "", "holds no document", "a mapping", ""))
    return documents[0] if documents else None


def _fill_in_folder(entry: E, folder: Path) -> E:
    """Replace ``{here}`` by the folder of the file that the entry stands in."""

    def fill_all(arguments: list[str]) -> list[str]:
        return [fill(argument, "here", str(folder)) for argument in arguments]

    env = dict(zip(entry.env, fill_all(list(entry.env.values())), strict=True))
    update = {"env": env, "command": entry.command and fill_all(entry.command)}
    if isinstance(entry, ImageCommand):
        commands = {program: fill_all(command) for program, command in entry.commands.items()}
        return entry.model_copy(update={**update, "commands": commands})
    return entry.model_copy(update=update)


def _validate(
    document: Document, model: type[M], value: Any, base: tuple[str, ...], problems: list[Problem]
) -> M | None:
    prepared = normalize(model, value, base=base)
    try:
        return model.model_validate(prepared.value)
    except ValidationError as error:
        from meshproof.model.validation_errors import explain_validation_error  # noqa: PLC0415  # only for a message

        problems += explain_validation_error(error, document, model, prepared, base)
        return None
