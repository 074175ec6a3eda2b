"""Turns a model's validation errors into problems that a user can act on."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from meshproof.errors import Problem
from meshproof.model import api_fields
from meshproof.model.base_model import FieldError, Model, PartlyHonoured
from meshproof.model.kinds import LEAVE_OUT, NOT_YET, as_unsupported
from meshproof.model.model_fields import fields_by_name, find_model
from meshproof.model.normalize import NormalizedValue
from meshproof.sources.documents import Document
from meshproof.sources.location import FieldPath, dotted
from meshproof.sources.scalars import kind_of, number_of


class Explanation(NamedTuple):
    """The parts of a ``Problem`` that depend on the validation error."""

    found: str
    wanted: str = ""
    remedy: str = ""
    unsupported: bool = False


_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_too_short": "a string that is not empty",
    "too_short": "at least one entry",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
}
_LONGEST = 60
_MISSING = "is missing"


def explain_validation_error(
    error: ValidationError,
    document: Document,
    model: type[Model],
    prepared: NormalizedValue,
    base: FieldPath,
) -> list[Problem]:
    """One problem for each field that is wrong, in the user's spelling, ordered by line."""
    problems: dict[FieldPath, Problem] = {}
    for detail in error.errors(include_url=False):
        path = _field_path(detail, prepared.value)
        explanation = _explain_error(_hide_secret(detail, document), document, model, path, base)
        finding, wanted, remedy, unsupported = explanation
        unsupported = unsupported or _is_partly_honoured(model, path)
        own_path = prepared.as_written((*base, *path))
        problem = document.problem(own_path, finding, wanted, remedy)
        problems.setdefault(own_path, as_unsupported(problem) if unsupported else problem)
    return sorted(_without_misspelt(problems), key=lambda p: p.line)


def _is_partly_honoured(root: type[Model], path: FieldPath) -> bool:
    """Whether the last named field of ``path`` is marked so."""
    names = [index for index, step in enumerate(path) if isinstance(step, str)]
    model = find_model(root, path[: names[-1]]) if names else None
    if model is None:
        return False
    info = next((f for f in model.model_fields.values() if f.alias == path[names[-1]]), None)
    return info is not None and any(isinstance(m, PartlyHonoured) for m in info.metadata)


def _hide_secret(detail: ErrorDetails, document: Document) -> ErrorDetails:
    """Hide a Secret's values from messages, and so from logs."""
    if document.value.get("kind") == "Secret" and isinstance(detail["input"], str | int | float):
        return {**detail, "input": _Secret(kind_of(detail["input"]))}
    return detail


@dataclass(frozen=True, slots=True)
class _Secret:
    """Stands for a value that is not shown."""

    kind: str


def _without_misspelt(problems: dict[FieldPath, Problem]) -> list[Problem]:
    """A field that is missing because it is misspelt is one problem, not two."""
    suggestions = {(*path[:-1], problem.remedy) for path, problem in problems.items()}
    return [
        problem
        for path, problem in problems.items()
        if not (problem.found == _MISSING and (*path[:-1], _suggestion(path[-1])) in suggestions)
    ]


def _suggestion(name: str | int) -> str:
    return f"did you mean {name}?"


def explain_unknown_field(root: type[Model], path: FieldPath, base: FieldPath) -> Explanation:
    """Why the last key of ``path`` is refused, and what was probably meant."""
    key, parent = str(path[-1]), path[:-1]
    model = find_model(root, parent) or root
    honoured, api = list(fields_by_name(model)), api_fields.fields_of(model)
    if key in api:
        owner = api_fields.owner_of(model)
        if remedy := api_fields.remedy_of_removed(model, key):
            return Explanation(f"is a field that {owner} has removed", "", remedy, unsupported=True)
        message = f"is a field of {owner} that {NOT_YET}"
        return Explanation(message, remedy=LEAVE_OUT, unsupported=True)
    message = f"is not a field of {model.__name__}"
    candidates = [*honoured, *sorted(api - set(honoured))]
    near = get_close_matches(key, candidates, 1, 0.8)
    elsewhere = _find_elsewhere(root, model, key, parent, base)
    if not near and elsewhere:
        return Explanation(message, remedy=elsewhere)
    near = near or get_close_matches(key, candidates, 1)
    if near:
        return Explanation(message, remedy=_suggestion(near[0]))
    return Explanation(message, "one of " + ", ".join(honoured))


def _find_elsewhere(
    root: type[Model], model: type[Model], key: str, parent: FieldPath, base: FieldPath
) -> str:
    """Where the key would be a field: one level down, or further up."""
    for name, part in fields_by_name(model).items():
        if part.model and key in fields_by_name(part.model):
            return f"{key} belongs under {name}"
    for depth in range(len(parent) - 1, -1, -1):
        above = find_model(root, parent[:depth])
        if above and key in fields_by_name(above):
            owner = dotted((*base, *parent[:depth])) or above.__name__
            return f"{key} belongs to {owner}: check the indentation"
    return ""


def _field_path(detail: ErrorDetails, value: Any) -> FieldPath:
    """The field's path, without the steps that pydantic adds for unions and keys."""
    path: list[str | int] = []
    loc = detail["loc"]
    for i, step in enumerate(loc):
        in_mapping = isinstance(value, dict) and step in value
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if in_mapping or in_list:
            path.append(step)
            value = value[step]
        elif detail["type"] == "missing" and i == len(loc) - 1:
            path.append(step)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, FieldError):
        path += cause.path
    return tuple(path)


def _explain_error(
    detail: ErrorDetails, document: Document, root: type[Model], path: FieldPath, base: FieldPath
) -> Explanation:
    kind, value = detail["type"], detail["input"]
    text = document.texts.get((*base, *path))
    message = f"is {describe_value(value, text)}"
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return explain_unknown_field(root, path, base)
    if kind == "missing":
        return _explain_missing(root, path)
    if kind == "literal_error":
        return _explain_literal(message, value, str(context["expected"]), root, path)
    if kind == "value_error":
        return _explain_value_error(message, value, context["error"])
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else detail["msg"]
    return Explanation(message, expected, _find_remedy(expected, value, text, path))


def describe_value(value: Any, text: str | None = None) -> str:
    """A value with its YAML type: ``the string "50"``, ``yes, which YAML reads as a boolean``."""
    if isinstance(value, _Secret):
        return f"a {value.kind}, which is not shown"
    kind = kind_of(value)
    if kind == "string":
        short = value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
        return f'the string "{short}"' if value else "an empty string"
    if kind == "boolean":
        literal = text or str(value).lower()
        return (
            literal if literal in ("true", "false") else f"{literal}, which YAML reads as a boolean"
        )
    if kind == "number":
        return f"the number {text or value}"
    if kind == "null":
        return kind
    return f"a {kind}" if value else f"an empty {kind}"


def _find_remedy(expected: str, value: Any, text: str | None, path: FieldPath) -> str:
    field = path[-1] if path else ""
    if isinstance(value, _Secret):
        return "quote it" if expected == "a string" else ""
    if expected == "a string" and kind_of(value) in ("boolean", "number"):
        return f'quote it: "{text if text is not None else value}"'
    if expected in ("a whole number", "a number") and isinstance(value, str):
        number = number_of(value)
        whole = isinstance(number, int)
        if whole or (number is not None and expected == "a number"):
            return f"write {_assign(field, value)} without quotes"
    if expected == "true or false" and value in ("true", "false"):
        return f"write {_assign(field, value)} without quotes"
    if expected == "a list" and not isinstance(value, list):
        return 'begin each entry with "- "'
    return ""


def _assign(field: str | int, value: str) -> str:
    return f"{field}: {value}" if isinstance(field, str) and field else value


def _explain_missing(root: type[Model], path: FieldPath) -> Explanation:
    model = find_model(root, path[:-1])
    part = fields_by_name(model).get(str(path[-1])) if model else None
    expected = "a list" if part and part.holds == "list" else ""
    return Explanation(_MISSING, expected)


def _explain_literal(
    message: str, value: Any, choices: str, root: type[Model], path: FieldPath
) -> Explanation:
    expected = choices.replace("'", "")
    field = next((step for step in reversed(path) if isinstance(step, str)), "")
    model = find_model(root, path[: path.index(field)]) if field else None
    if model and isinstance(value, str) and value in api_fields.values_of(model, field):
        owner = api_fields.owner_of(model)
        message = f"{value} is a value of {owner} that {NOT_YET}"
        return Explanation(message, expected, unsupported=True)
    options = expected.replace(" or ", ", ").split(", ")
    near = get_close_matches(str(value).casefold(), [c.casefold() for c in options], 1)
    suggestion = next((c for c in options if near and c.casefold() == near[0]), "")
    return Explanation(message, expected, _suggestion(suggestion) if suggestion else "")


def _explain_value_error(message: str, value: Any, error: ValueError) -> Explanation:
    """A model's own message: ``<found>; wanted <wanted>``."""
    text, _, expected = str(error).partition("; wanted ")
    plain = kind_of(value) in ("number", "boolean", "null")
    if isinstance(value, _Secret) or (expected and plain):
        return Explanation(message, expected)
    unsupported = isinstance(error, FieldError) and error.unsupported
    return Explanation(text, expected, unsupported=unsupported)
