"""The life of a mesh that other processes reach by its name."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace

from meshproof.control.protocols import Remote
from meshproof.control.served_mesh import ServedMesh
from meshproof.control.server import ControlServer
from meshproof.host import registry
from meshproof.mesh import Applied


@contextlib.contextmanager
def serve_mesh(mesh: ServedMesh, ended: threading.Event) -> Iterator[Applied]:
    """Reserve the name, bring the mesh up and serve it; end all of that on the way out.

    ``ended`` is set when a client asks for the end. The name is reserved first, so that of two
    meshes started at once under one name the second is refused before it starts anything.
    """
    with contextlib.ExitStack() as undo:
        limit = mesh.end_limit if isinstance(mesh, Remote) else registry.END_LIMIT
        entry = registry.reserve(mesh.name, end_limit=limit)
        undo.callback(registry.release, mesh.name)
        undo.callback(mesh.down)
        applied = mesh.up()
        server = ControlServer(mesh, ended.set)
        server.events.record_start(applied)
        undo.callback(server.close)
        server.start(mesh.control_socket)
        registry.publish(
            replace(
                entry,
                run_id=mesh.run_id,
                run_dir=str(mesh.run_dir),
                control_socket=str(mesh.control_socket),
            )
        )
        yield applied
