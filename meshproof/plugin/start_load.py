"""The type of the ``load`` fixture, for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from meshproof.traffic.load import Load


class StartLoad(Protocol):
    def __call__(self, **settings: Any) -> Load:
        """A started load. By default ``host`` is the gateway, ``run_id`` the run's first id, and
        ``locustfile`` and ``path`` are the project's; all other settings are those of
        ``meshproof.traffic.load.Load``."""
        ...
