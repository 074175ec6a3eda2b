"""JSON Schemas of case files and of ``meshproof.yaml``, for editors and validators. Pure.

Made from the models that read the files, so that they cannot differ; a number may also be a
placeholder (``${weight}``) in a case. JSON Schema cannot say everything: ``meshproof test`` does.
"""

from __future__ import annotations

import ast
import inspect
import sys
from typing import Any

from pydantic import BaseModel, TypeAdapter

from meshproof.cases.model import Case, CaseFile
from meshproof.project_file import ImageCommand, OutsideHost, ProjectFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLACEHOLDER = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}
Json = dict[str, Any]


def cases_schema() -> Json:
    """Of a file of cases."""
    schema = _schema(CaseFile, "A file of cases for meshproof test")
    case = _schema(Case, "")
    schema["$defs"] = {**case.pop("$defs", {}), **schema.get("$defs", {})}
    schema["$defs"]["Case"] = {k: v for k, v in case.items() if k not in ("$schema", "title")}
    schema["properties"]["cases"]["items"] = {"$ref": "#/$defs/Case"}
    _allow_placeholders(schema["$defs"])
    return schema


def project_schema() -> Json:
    """Of ``meshproof.yaml``."""
    schema = _schema(ProjectFile, "meshproof.yaml")
    for name, model in (("images", ImageCommand), ("outside", OutsideHost)):
        entry = _schema(model, "")
        schema.setdefault("$defs", {}).update(entry.pop("$defs", {}))
        schema["$defs"][model.__name__] = {k: v for k, v in entry.items() if k != "$schema"}
        reference = {"$ref": f"#/$defs/{model.__name__}"}
        schema["properties"][name]["additionalProperties"] = reference
    ports = schema["$defs"]["OutsideHost"]["properties"]["ports"]
    ports["additionalProperties"] = {"type": ["integer", "string", "null"]}
    schema["$defs"].pop("RealAddress", None)
    return schema


def _schema(model: type[BaseModel], title: str) -> Json:
    schema = TypeAdapter(model).json_schema(by_alias=True, mode="validation")
    _describe(model, schema)
    head: Json = {"$schema": DIALECT}
    if title:
        head["title"] = title
    return {**head, **{k: v for k, v in schema.items() if k != "title" or not title}}


def _describe(model: type[BaseModel], schema: Json) -> None:
    """Adds each field's docstring as its description, to the definitions as well."""
    texts = _docstrings(sys.modules[model.__module__])
    parts = [(model.__name__, schema), *schema.get("$defs", {}).items()]
    for name, part in parts:
        for field in part.get("properties", {}):
            if text := texts.get((name, field)):
                part["properties"][field]["description"] = text


def _docstrings(module: Any) -> dict[tuple[str, str], str]:
    """By class and field, as YAML spells it."""
    texts: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        model = getattr(module, node.name)
        for statement, text in zip(node.body, node.body[1:], strict=False):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            if not (isinstance(statement, ast.AnnAssign) and is_text):
                continue
            assert isinstance(statement.target, ast.Name)
            assert isinstance(text, ast.Expr)
            assert isinstance(text.value, ast.Constant)
            info = getattr(model, "model_fields", {}).get(statement.target.id)
            name = (info.alias if info else None) or statement.target.id
            texts[node.name, name] = " ".join(str(text.value.value).replace("``", "`").split())
    return texts


def _allow_placeholders(value: Any) -> None:
    """Numbers and booleans of cases may be filled in by a table."""
    if isinstance(value, list):
        if any(_is_plain(item) for item in value):
            value.append(dict(_PLACEHOLDER))
        for item in value:
            _allow_placeholders(item)
        return
    for key, item in list(value.items()) if isinstance(value, dict) else ():
        if _is_plain(item):
            text = item.pop("description", None)
            value[key] = {"anyOf": [item, dict(_PLACEHOLDER)]}
            if text:
                value[key]["description"] = text
        else:
            _allow_placeholders(item)


def _is_plain(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("integer", "number", "boolean")
