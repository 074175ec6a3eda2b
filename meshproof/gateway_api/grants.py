"""ReferenceGrants: which references across namespaces are allowed."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.gateway_api import ReferenceGrantSpec
from meshproof.model.http_route_references import GROUP
from meshproof.model.resource import Resource


class Grants:
    """All ReferenceGrants of a mesh."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._grants = [r for r in resources if isinstance(r.spec, ReferenceGrantSpec)]

    def allow(self, source: str, namespace: str, target: str, other: str, name: str) -> bool:
        """Whether an object of the API's kind ``source`` in ``namespace`` may refer to a core
        object ``other/name`` of kind ``target``. Its own namespace needs no grant."""
        return namespace == other or any(
            grant.namespace == other
            and any(
                (f.group, f.kind, f.namespace) == (GROUP, source, namespace)
                for f in grant.spec.from_
            )
            and any(
                (t.group, t.kind) == ("", target) and t.name in (None, name) for t in grant.spec.to
            )
            for grant in self._grants
        )
