"""What would become of a request; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from meshproof.control.endpoint import query
from meshproof.control.wire import Json, as_json
from meshproof.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.control.context import ControlContext
    from meshproof.explain import Explanation


@runtime_checkable
class SupportsExplain(Protocol):
    """A mesh that knows the configuration of each of its Envoys."""

    def explain(
        self,
        workload: str,
        url: str,
        *,
        method: str = "GET",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Explanation:
        """What would become of such a request from a workload, or at ``gateway``."""
        ...


@query
def explain(
    context: ControlContext,
    workload: str,
    url: str,
    method: str,
    headers: Sequence[tuple[str, str]],
) -> Json:
    """``Explanation.as_dict()``."""
    mesh = context.mesh
    if not isinstance(mesh, SupportsExplain):
        raise Unsupported(
            f"explain: the mesh {mesh.name} does not know the configuration of its Envoys; "
            "explain the files instead: explain -f FILE"
        )
    pairs = [(name, value) for name, value in headers]
    return as_json(mesh.explain(workload, url, method=method, headers=pairs))
