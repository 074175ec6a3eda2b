"""A document's text that is YAML itself: of a ConfigMap's key, or of an annotation.

Istio reads such texts as protobuf's JSON in YAML, in which ``connect_timeout`` and
``connectTimeout`` are one. What is wrong inside is reported at its own line of the file.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from meshproof.errors import Problem
from meshproof.model.base_model import Model
from meshproof.model.durations import FROM_YAML
from meshproof.model.normalize import add_spellings, normalize
from meshproof.sources.documents import Document, read_documents
from meshproof.sources.location import FieldPath, Location, dotted

M = TypeVar("M", bound=Model)


def read_embedded(
    model: type[M], text: str, path: FieldPath, outer: Document
) -> tuple[M, list[Problem]]:
    """The model of the text at ``path`` of ``outer``, and what is wrong with it; an empty text is
    an empty mapping."""
    parsed, problems = read_documents(text, outer.location.file, "a mapping")
    if problems or not parsed:
        return model.empty(), [_shift(p, outer, path, text) for p in problems]
    document = _embed(parsed[0], outer, path, text)
    if len(parsed) > 1:
        return model.empty(), [document.problem(path, "holds two documents", "one")]
    prepared = normalize(model, parsed[0].value, base=path, snake_case=True)
    add_spellings(document.lines, prepared)
    add_spellings(document.texts, prepared)
    try:
        return model.model_validate(prepared.value, context=FROM_YAML), []
    except ValidationError as error:
        from meshproof.model.validation_errors import explain_validation_error  # noqa: PLC0415  # only for a message

        return model.empty(), explain_validation_error(error, document, model, prepared, path)


def parse_embedded(model: type[M], text: str) -> M:
    """The model of a text that was checked before. Raises ValueError for any other."""
    value, problems = read_embedded(model, text, (), Document({}, Location("", 0), {}, {}))
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return value


def _embed(inner: Document, outer: Document, path: FieldPath, text: str) -> Document:
    """The inner document as a part of the outer one, at the lines of the file."""
    lines = dict(outer.lines)
    offset = _offset(outer, path, text)
    lines.update({(*path, *inside): line + offset for inside, line in inner.lines.items()})
    texts = {(*path, *inside): value for inside, value in inner.texts.items()}
    value: Any = inner.value
    for step in reversed(path):
        value = {step: value}
    location = Location(outer.location.file, outer.location.line, lines)
    return Document({**outer.value, **value}, location, lines, texts)


def _offset(outer: Document, path: FieldPath, text: str) -> int:
    """From a line of the text to one of the file: a text of several lines stands below its key."""
    line = outer.location.line_of(path)
    return line if "\n" in text else line - 1


def _shift(problem: Problem, outer: Document, path: FieldPath, text: str) -> Problem:
    """A YAML error of the text, at the line of the file."""
    line = problem.line + _offset(outer, path, text)
    at = dotted(path)
    return Problem(problem.file, line, outer.title, at, problem.found, "", problem.remedy)
