"""Files of Istio 0.4 as one text of networking.istio.io/v1. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.errors import Problem, Refused, UsageError
from meshproof.inputs import Source
from meshproof.istio04.changes import changes
from meshproof.istio04.lower import lower
from meshproof.istio04.warnings import find_istio04_warnings
from meshproof.model.reader import read_resources, with_default_namespace
from meshproof.model.yaml_writer import to_yaml
from meshproof.translate.from_kube import services_of

_NETWORKING = "networking.istio.io/"


@dataclass(frozen=True, slots=True)
class Conversion:
    """``text`` is YAML; it holds the v1 rules of the input unchanged."""

    text: str
    changes: tuple[str, ...]
    warnings: tuple[Problem, ...]


def convert(sources: Iterable[Source], *, namespace: str = "") -> Conversion:
    """``namespace`` is for documents without one.

    Raises Refused for what cannot be read or lowered, and for callers (``match.source``) whose
    Service is in none of the sources: without its selector v1 cannot express the rule.
    """
    decoded = read_resources(sources, namespace=namespace)
    resources = with_default_namespace(decoded, namespace or "default")
    services = services_of(resources)
    problems = find_istio04_warnings(resources, services)
    unknown = [p for p in problems if p.field.endswith("source")]
    if unknown:
        remedy = "pass the file that holds the Service too"
        raise Refused(
            Problem(p.file, p.line, p.resource, p.field, p.found, p.wanted, remedy) for p in unknown
        )
    rules = [r for r in lower(resources, services) if r.api_version.startswith(_NETWORKING)]
    if not rules:
        raise UsageError("convert: the files hold no rule of Istio")
    return Conversion(to_yaml(rules), tuple(changes(resources)), tuple(problems))
