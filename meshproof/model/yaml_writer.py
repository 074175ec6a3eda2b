"""Resources as YAML that ``kubectl apply`` takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from meshproof.model.resource import Resource

_PLAIN = re.compile(r"[A-Za-z/][^\n]*")
_ONE_LETTER_BOOLEANS = frozenset("yYnN")


class _Dumper(yaml.SafeDumper):
    """Quotes what another YAML reader could take for a number or a boolean (``1e3``, ``y``)."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text not in _ONE_LETTER_BOOLEANS
    style = None if plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def to_yaml(resources: Iterable[Resource]) -> str:
    """One document for each resource, in the given order, with only the fields that were set.

    Reading it back gives equal specs. Raises ValueError for kinds that are not of
    networking.istio.io: their models do not hold the whole ``spec``.
    """
    return documents_to_yaml([to_document(resource) for resource in resources])


def documents_to_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """Plain objects of any kind as YAML, quoted so that every YAML reader reads the same."""
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=4096,
        explicit_start=True,
    )


def to_document(resource: Resource) -> dict[str, Any]:
    if not resource.api_version.startswith("networking.istio.io/"):
        raise ValueError(f"{resource.title} ({resource.api_version}) is not of networking.istio.io")
    metadata: dict[str, Any] = {"name": resource.name}
    if resource.namespace:
        metadata["namespace"] = resource.namespace
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        "spec": resource.spec.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
