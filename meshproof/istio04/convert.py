"""Files of Istio 0.4 as one text of networking.istio.io/v1. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.errors import Problem, Refused, UsageError
from meshproof.istio04 import notes
from meshproof.istio04.changes import changes
from meshproof.istio04.dump import to_yaml
from meshproof.istio04.lower import lower
from meshproof.mesh import Source
from meshproof.model.reader import read_resources, with_default_namespace
from meshproof.translate.from_kube import services_of

_NETWORKING = "networking.istio.io/"


@dataclass(frozen=True, slots=True)
class Converted:
    """``text`` is YAML; v1 rules of the input stand in it as they were."""

    text: str
    changes: tuple[str, ...]
    warnings: tuple[Problem, ...]


def convert(sources: Iterable[Source], *, namespace: str = "") -> Converted:
    """``namespace`` is for documents without one.

    Raises Refused for what cannot be read or lowered, and for callers (``match.source``) whose
    Service is in none of the sources: without its selector the rule cannot be said in v1.
    """
    decoded = read_resources(sources, namespace=namespace)
    resources = with_default_namespace(decoded, namespace or "default")
    services = services_of(resources)
    found = notes.warnings(resources, services)
    unknown = [p for p in found if p.field.endswith("source")]
    if unknown:
        remedy = "give the file that holds the Service too"
        raise Refused(
            Problem(p.file, p.line, p.resource, p.field, p.found, p.wanted, remedy) for p in unknown
        )
    made = [r for r in lower(resources, services) if r.api_version.startswith(_NETWORKING)]
    if not made:
        raise UsageError("convert: the files hold no rule of Istio")
    return Converted(to_yaml(made), tuple(changes(resources)), tuple(found))
