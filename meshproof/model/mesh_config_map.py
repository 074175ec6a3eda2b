"""The ConfigMap ``istio`` of the root namespace: its key ``mesh`` holds a MeshConfig as YAML.

istiod reads it at start and whenever it changes (Istio: pkg/config/mesh/kubemesh).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from meshproof.errors import Problem
from meshproof.istio_names import ISTIO_NAMESPACE
from meshproof.model.durations import FROM_YAML
from meshproof.model.normalize import add_spellings, normalize
from meshproof.sources.documents import Document, read_documents
from meshproof.sources.location import FieldPath, Location

if TYPE_CHECKING:
    from meshproof.model.mesh_config import MeshConfig

_NAME = "istio"
_KEY = "mesh"
_PATH: FieldPath = ("data", _KEY)


def is_mesh_config_map(kind: object, name: str, namespace: str) -> bool:
    """Whether istiod would read it."""
    return (kind, name, namespace) == ("ConfigMap", _NAME, ISTIO_NAMESPACE)


def check_mesh_config_map(document: Document) -> list[Problem]:
    """What is wrong with the MeshConfig inside, at its own lines."""
    data = document.value.get("data")
    text = data.get(_KEY) if isinstance(data, dict) else None
    if not isinstance(text, str):
        return []
    return _read(text, document)[1]


@lru_cache(maxsize=8)
def parse_mesh_config(text: str) -> MeshConfig:
    """The MeshConfig of a text that was checked before. Raises ValueError for any other."""
    placeholder = Document({"data": {}}, Location("", 0), {}, {})
    config, problems = _read(text, placeholder)
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return config


def _read(text: str, outer: Document) -> tuple[MeshConfig, list[Problem]]:
    """Protobuf's JSON in YAML, in which ``connect_timeout`` and ``connectTimeout`` are one."""
    from meshproof.model.mesh_config import MeshConfig  # noqa: PLC0415  (slow, and few files have one)

    parsed, problems = read_documents(text, outer.location.file, "a mapping")
    if problems or not parsed:
        return MeshConfig(), [_shift(p, outer, text) for p in problems]
    document = _embed(parsed[0], outer, text)
    if len(parsed) > 1:
        return MeshConfig(), [document.problem(_PATH, "holds two documents", "one")]
    prepared = normalize(MeshConfig, parsed[0].value, base=_PATH, snake_case=True)
    add_spellings(document.lines, prepared)
    add_spellings(document.texts, prepared)
    try:
        return MeshConfig.model_validate(prepared.value, context=FROM_YAML), []
    except ValidationError as error:
        from meshproof.model.validation_errors import explain_validation_error  # noqa: PLC0415  # only for a message

        return MeshConfig(), explain_validation_error(error, document, MeshConfig, prepared, _PATH)


def _embed(inner: Document, outer: Document, text: str) -> Document:
    """The inner document as a part of the outer one, at the lines of the file."""
    lines = dict(outer.lines)
    offset = _offset(outer, text)
    lines.update({(*_PATH, *path): line + offset for path, line in inner.lines.items()})
    texts = {(*_PATH, *path): value for path, value in inner.texts.items()}
    value = {**outer.value, "data": {_KEY: inner.value}}
    return Document(value, Location(outer.location.file, outer.location.line, lines), lines, texts)


def _offset(outer: Document, text: str) -> int:
    """From a line of the text to one of the file: a text of several lines stands below its key."""
    line = outer.location.line_of(_PATH)
    return line if "\n" in text else line - 1


def _shift(problem: Problem, outer: Document, text: str) -> Problem:
    """A YAML error of the text, at the line of the file."""
    line = problem.line + _offset(outer, text)
    return Problem(problem.file, line, outer.title, "data.mesh", problem.found, "", problem.remedy)
