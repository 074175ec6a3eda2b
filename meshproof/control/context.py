"""What a handler of the control socket works with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from meshproof.control.events import EventLog
from meshproof.control.leases import Leases
from meshproof.control.served_mesh import ServedMesh


@dataclass(frozen=True, slots=True)
class ControlContext:
    mesh: ServedMesh
    request_down: Callable[[], None]
    """Asks the mesh's process to end. Does not block."""
    events: EventLog = field(default_factory=EventLog)
    """Use it in the server's event loop only."""
    leases: Leases = field(default_factory=Leases)
    """The same."""
    client_gone: threading.Event = field(default_factory=threading.Event)
    """Of one request: set when its client has closed the connection."""
