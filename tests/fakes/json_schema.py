"""The part of JSON Schema that ours use: what is wrong with a value, as paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}  # fmt: skip
KEYWORDS = {
    "$schema", "$defs", "$ref", "title", "description", "default", "type", "properties",
    "required", "additionalProperties", "items", "anyOf", "minimum", "maximum", "minItems",
    "pattern", "minProperties", "const", "enum",
}  # fmt: skip


def errors(value: Any, schema: Any, root: Any = None, path: str = "") -> Iterator[str]:
    """Raises AssertionError for a keyword that is not known here."""
    root = schema if root is None else root
    if schema is True:
        return
    assert schema.keys() <= KEYWORDS, schema.keys() - KEYWORDS
    if "$ref" in schema:
        yield from errors(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, path)
    if "anyOf" in schema:
        options = [list(errors(value, option, root, path)) for option in schema["anyOf"]]
        if all(options):
            yield f"{path}: no option fits"
    if "type" in schema and not _has_type(value, schema["type"]):
        yield f"{path}: is no {schema['type']}"
        return
    yield from _value_errors(value, schema, path)
    if isinstance(value, dict):
        yield from (f"{path}.{n}: is missing" for n in schema.get("required", ()) if n not in value)
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in properties or more is not False:
                yield from errors(item, properties.get(key, more), root, f"{path}.{key}")
            else:
                yield f"{path}.{key}: is not known"
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from errors(item, schema.get("items", True), root, f"{path}[{index}]")


def _value_errors(value: Any, schema: Any, path: str) -> Iterator[str]:
    if isinstance(value, int | float) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{path}: is out of range"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: is no {schema['pattern']}"
    if len(value) < schema.get("minItems", 0) if isinstance(value, list) else False:
        yield f"{path}: is too short"


def _has_type(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)
