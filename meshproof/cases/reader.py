"""Reads case files: every case validated, its table unrolled, its rules located."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meshproof.cases import istio_config_validator
from meshproof.cases.case import Case, CaseRequest, Place, RuleSet
from meshproof.cases.discovery import find_rules
from meshproof.cases.model import Case as CaseModel
from meshproof.cases.model import CaseFile, Token
from meshproof.cases.parameters import FilledCase, fill_case
from meshproof.errors import Problem
from meshproof.model.normalize import normalize
from meshproof.model.validation_errors import explain_validation_error
from meshproof.sources.documents import Document, read_documents
from meshproof.sources.sources import read_file

OF_VALIDATOR = "testCases"
"""The key of istio-config-validator's files."""


def read_cases(
    paths: Iterable[Path], parameters: Mapping[str, Any], problems: list[Problem]
) -> list[Case]:
    """Every case of every file, in order; ``parameters`` replace the files' own."""
    cases: list[Case] = []
    for path in paths:
        text = read_file(path, problems)
        if text is not None:
            cases += read_case_text(text, path, parameters, problems)
    return cases


def read_case_text(
    text: str, path: Path, parameters: Mapping[str, Any], problems: list[Problem]
) -> list[Case]:
    """The cases of one file's text."""
    documents, broken = read_documents(text, str(path), "a mapping with cases")
    problems += broken
    if not documents and not broken:
        problems.append(
            Problem(str(path), 0, "", "", "holds no case", "cases:", "meshproof test init")
        )
    cases: list[Case] = []
    for document in documents:
        if OF_VALIDATOR in document.value:
            cases += istio_config_validator.read_cases(document, problems)
        else:
            cases += _read_document(document, path, parameters, problems)
    return cases


def _read_document(
    document: Document, path: Path, parameters: Mapping[str, Any], problems: list[Problem]
) -> Iterator[Case]:
    prepared = normalize(CaseFile, document.value)
    try:
        file = CaseFile.model_validate(prepared.value)
    except ValidationError as error:
        problems += explain_validation_error(error, document, CaseFile, prepared, ())
        return
    rules = _rules(file, path, document, problems)
    values = {**file.parameters, **{k: v for k, v in parameters.items() if k in file.parameters}}
    for index, value in enumerate(file.cases):
        place = Place(document, ("cases", index))
        if not isinstance(value, dict):
            problems.append(place.problem((), "is no case", "a mapping with name and expect", ""))
            continue
        for filled in fill_case(value, values, place, problems):
            yield from _build_cases(filled, file, place, rules, problems)


def _rules(file: CaseFile, path: Path, document: Document, problems: list[Problem]) -> RuleSet:
    def locate(field: str, names: list[str]) -> tuple[Path, ...]:
        files = tuple(Path(os.path.normpath(path.parent / name)) for name in names)
        problems.extend(
            document.problem(
                (field, index), f"there is no file {item}", "a path relative to this file"
            )
            for index, item in enumerate(files)
            if not item.exists()
        )
        return files

    manifests = None if file.manifests is None else locate("manifests", file.manifests)
    rules = find_rules(path) if file.rules is None else locate("rules", file.rules)
    return RuleSet(rules, file.namespace, manifests)


def _build_cases(
    filled: FilledCase, file: CaseFile, place: Place, rules: RuleSet, problems: list[Problem]
) -> Iterator[Case]:
    base = place.path
    prepared = normalize(CaseModel, filled.value, base=base)
    try:
        model = CaseModel.model_validate(prepared.value)
    except ValidationError as error:
        errors = explain_validation_error(error, place.document, CaseModel, prepared, base)
        problems += [_in_row(p, filled.row) for p in errors]
        return
    for request in _requests(model, file, place, problems):
        names = tuple(file.parameters)
        yield Case(model.name, request, model.expect, rules, place, filled.row, names)


def _in_row(problem: Problem, row: int) -> Problem:
    if not row:
        return problem
    return replace(problem, found=f"{problem.found}, in row {row} of the table")


def _requests(
    model: CaseModel, file: CaseFile, place: Place, problems: list[Problem]
) -> Iterator[CaseRequest]:
    """In every combination of what is a list."""
    own, defaults = model.request, file.defaults.request
    sender, url = own.sender or defaults.sender, own.url or defaults.url
    method = own.method if "method" in own.model_fields_set else defaults.method
    headers = {**defaults.headers, **own.headers}
    token = own.token if own.token is not None else defaults.token
    if isinstance(token, Token):
        key = Path(place.file).parent / token.key
        token = token.model_copy(update={"key": str(key)})
    for name, value in (("from", sender), ("url", url)):
        if not value:
            wanted = "a workload or gateway" if name == "from" else "such as http://cart/show"
            problems.append(
                place.problem(("request", name), "is missing", wanted, "or give it in defaults")
            )
    if not sender or not url:
        return
    for s, u, m in itertools.product(*map(_as_list, (sender, url, method))):
        yield CaseRequest(s, u, m, tuple(headers.items()), token)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
