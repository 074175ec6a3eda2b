"""What a release with a judge needs of a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from meshproof.control.endpoint import query
from meshproof.control.wire import Json, as_json
from meshproof.errors import Unsupported

if TYPE_CHECKING:
    from meshproof.control.context import ControlContext
    from meshproof.mesh import Tail


@runtime_checkable
class SupportsRelease(Protocol):
    """What a release needs beyond the contract (``Capability.RELEASE``)."""

    def rules(self) -> str:
        """Every applied resource of networking.istio.io as YAML, none of another dialect."""
        ...

    def tail(self, host: str, cursor: str) -> Tail:
        """What was called at a service (``svcb.payments.svc.cluster.local``), as its callers'
        sidecars and the gateway logged it since ``cursor``; ``now`` is the present end."""
        ...


def _require_release(context: ControlContext) -> SupportsRelease:
    if not isinstance(context.mesh, SupportsRelease):
        raise Unsupported(f"release: the mesh {context.mesh.name} does not support it")
    return context.mesh


@query
def rules(context: ControlContext) -> str:
    """``SupportsRelease.rules``."""
    return _require_release(context).rules()


@query
def tail(context: ControlContext, host: str, cursor: str) -> Json:
    """``Tail`` as a mapping."""
    return as_json(_require_release(context).tail(host, cursor))
