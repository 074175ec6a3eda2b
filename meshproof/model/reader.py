"""Sources to typed resources: what is not understood is refused, all problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from meshproof.errors import Problem, Refused
from meshproof.inputs import Input, Source
from meshproof.model.durations import FROM_YAML
from meshproof.model.istio_metadata import find_refused_metadata, is_istio_group
from meshproof.model.kinds import Kind, UnknownKind, find_kind, without_model
from meshproof.model.mesh_config_map import check_mesh_config_map, is_mesh_config_map
from meshproof.model.metadata import read_metadata
from meshproof.model.model_fields import fields_by_name
from meshproof.model.normalize import add_spellings, normalize
from meshproof.model.resource import Resource
from meshproof.model.validation.rules import violations_of
from meshproof.sources.documents import Document, read_documents
from meshproof.sources.location import dotted, is_same_place
from meshproof.sources.sources import Stdin, try_read_sources


class Undecodable(Refused):
    """Some documents are invalid; ``resources`` are the others, for callers that report what is
    wrong with those too."""

    def __init__(self, problems: Iterable[Problem], resources: Iterable[Resource]) -> None:
        super().__init__(problems)
        self.resources = tuple(resources)


_HEAD = ("apiVersion", "kind", "metadata", "status")


def read_text(text: str, file: str, *, namespace: str = "") -> list[Resource]:
    """``read_resources`` of one YAML text; ``file`` names it in messages."""
    return read_resources([Source(file, text)], namespace=namespace)


def read_resources(
    inputs: Iterable[Input],
    *,
    stdin: Stdin = None,
    namespace: str = "",
    keep_unsupported: bool = False,
) -> list[Resource]:
    """The resources of every input (``meshproof.sources``), in order.

    ``namespace`` goes to documents without one and must not contradict the others (kubectl's
    ``-n``). A document with a kind, field or value that no model honours is refused, unless
    ``keep_unsupported``: then it has no ``spec``, and its ``unsupported`` says why (Istio 0.4
    apart, which no API server could take instead). Raises ``Undecodable`` with every problem of
    all inputs.
    """
    resources: list[Resource] = []
    problems: list[Problem] = []
    for item in inputs:
        sources, unreadable = try_read_sources([item], stdin=stdin)
        problems += unreadable
        for source in sources:
            decoded, invalid = _decode_source(source, namespace, keep_unsupported)
            resources += decoded
            problems += invalid
    return _unique_or_refuse(resources, problems)


def with_default_namespace(resources: Iterable[Resource], default: str) -> list[Resource]:
    """Fill in the namespace that neither document nor call gives.

    Raises ``Refused`` if two different resources get one identity by it.
    """
    filled = [
        r.in_namespace(default) if not r.namespace and _namespaced(r) else r for r in resources
    ]
    return _unique_or_refuse(filled, [])


def _namespaced(resource: Resource) -> bool:
    kind = find_kind(resource.api_version, resource.kind)
    return kind.unsupported if isinstance(kind, UnknownKind) else kind.namespaced


def _unique_or_refuse(resources: list[Resource], problems: list[Problem]) -> list[Resource]:
    unique, conflicts = _unique(resources)
    if problems or conflicts:
        raise Undecodable([*problems, *conflicts], resources)
    return unique


def _unique(resources: Iterable[Resource]) -> tuple[list[Resource], list[Problem]]:
    """Each identity once: kubectl accepts a document that is repeated. Two different documents of
    one identity are a problem."""
    first: dict[tuple[str, str, str], Resource] = {}
    problems = []
    for resource in resources:
        other = first.setdefault(resource.key, resource)
        if other.manifest != resource.manifest:
            position = f"{other.location.file}:{other.location.line}"
            problems.append(
                resource.problem(
                    (), f"is defined twice, the first time at {position}", "", "keep one"
                )
            )
    return list(first.values()), problems


def _decode_source(
    source: Source, namespace: str, keep_unsupported: bool
) -> tuple[list[Resource], list[Problem]]:
    documents, problems = read_documents(source.text, source.file)
    if not documents and not problems:
        problems.append(Problem(source.file, 0, "", "", "holds no document", "", ""))
    resources = []
    for document in documents:
        resource, invalid = _decode(document, namespace, keep_unsupported)
        problems += invalid
        if resource:
            resources.append(resource)
    return resources, sorted(problems, key=lambda p: p.line)


def _decode(
    document: Document, namespace: str, keep_unsupported: bool
) -> tuple[Resource | None, list[Problem]]:
    """One document's resource, or None and what is wrong with it."""
    value = document.value
    kind = find_kind(value.get("apiVersion"), value.get("kind"))
    problems: list[Problem] = []
    if isinstance(kind, UnknownKind):
        problems = _with_violations(document, [_unknown_kind(document, kind)])
        if not (keep_unsupported and kind.unsupported):
            return None, problems
        kind = without_model(value["apiVersion"], value["kind"])
    metadata, problems_of_metadata = read_metadata(document, kind, namespace)
    spec, problems_of_spec = (None, []) if kind.is_ignored else _spec(document, kind)
    problems += [*problems_of_metadata, *problems_of_spec]
    if is_mesh_config_map(kind.name, metadata.name, metadata.namespace):
        problems += check_mesh_config_map(document)
    # On a cluster, labels of pods, namespaces and Services steer its own sidecars.
    if not keep_unsupported or is_istio_group(value["apiVersion"].partition("/")[0]):
        problems += find_refused_metadata(document)
    problems = _with_violations(document, problems)
    keep = keep_unsupported and not kind.of_istio04
    refused = [p for p in problems if not (keep and p.unsupported)]
    if refused:
        return None, refused
    return Resource(
        api_version=value["apiVersion"],
        kind=kind.name,
        name=metadata.name,
        namespace=metadata.namespace,
        labels=metadata.labels,
        spec=None if problems else spec,
        location=document.location,
        export_to=metadata.export_to,
        dry_run=metadata.dry_run,
        traffic_distribution=metadata.traffic_distribution,
        gateway_services=metadata.gateway_services,
        ingress_class=metadata.ingress_class,
        body=value,
        unsupported=tuple(problems),
    ), []


def _with_violations(document: Document, problems: Iterable[Problem]) -> list[Problem]:
    """Also what Istio refuses, but for what the model refuses at the same place already. Invalid
    takes precedence over not honoured."""
    refused = [p.field for p in problems if not p.unsupported]
    violations = [
        document.problem(v.path, v.found, v.wanted, v.remedy)
        for v in violations_of(document.value)
        if not (v.warning or any(is_same_place(dotted(v.path), field) for field in refused))
    ]
    fields = {v.field for v in violations}
    return [*(p for p in problems if not (p.unsupported and p.field in fields)), *violations]


def _unknown_kind(document: Document, kind: UnknownKind) -> Problem:
    return document.problem(
        (kind.field,), kind.found, kind.wanted, kind.remedy, unsupported=kind.unsupported
    )


def _spec(document: Document, kind: Kind) -> tuple[Any, list[Problem]]:
    """The model of a document's body."""
    rest = {k: v for k, v in document.value.items() if k not in _HEAD}
    problems: list[Problem] = []
    body: Any = rest
    base: tuple[str, ...] = ()
    if kind.body:
        problems += [_stray(document, kind, key) for key in rest if key != kind.body]
        body, base = rest.get(kind.body), (kind.body,)
        if body is None and kind.optional:
            body = {}
        if body is None:
            return None, [*problems, document.problem(base, "is missing", "a mapping")]
    prepared = normalize(kind.model, body, base=base, snake_case=kind.snake_case)
    add_spellings(document.lines, prepared)
    add_spellings(document.texts, prepared)
    for path, other in prepared.clashes:
        at = (*prepared.as_written(path[:-1]), path[-1])
        problems.append(document.problem(at, f"is defined twice, also as {other}", "", "keep one"))
    try:
        return kind.model.model_validate(prepared.value, context=FROM_YAML), problems
    except ValidationError as error:
        from meshproof.model.validation_errors import explain_validation_error  # noqa: PLC0415  # only for a message

        problems += explain_validation_error(error, document, kind.model, prepared, base)
        return None, problems


def _stray(document: Document, kind: Kind, key: str) -> Problem:
    """A key beside ``spec``."""
    remedy = ""
    if key in fields_by_name(kind.model):
        remedy = f"{key} belongs under {kind.body}: check the indentation"
    expected = f"apiVersion, kind, metadata, {kind.body}"
    return document.problem((key,), f"is not a field of {kind.name}", expected, remedy)
