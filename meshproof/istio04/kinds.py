"""Which resources are of Istio 0.4. Cheap to import: few meshes have one."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.resource import Resource


def any_of_istio04(resources: Iterable[Resource]) -> bool:
    """Whether any is a rule of Istio 0.4, which is to be lowered."""
    return any(r.api_version.startswith("config.istio.io/") for r in resources)
