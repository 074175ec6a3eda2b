"""What a mesh offers beyond the contract so that it can be controlled from another process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from meshproof.mesh import Mesh

if TYPE_CHECKING:
    from meshproof.telemetry.log_lines import LogLine


class ServedMesh(Mesh, Protocol):
    """A mesh whose process has a control socket."""

    @property
    def run_id(self) -> str: ...

    @property
    def run_dir(self) -> Path:
        """The run folder; it exists once ``up`` has returned."""
        ...

    @property
    def control_socket(self) -> Path:
        """Where in the run folder the control socket is to be."""
        ...

    def environment(self, workload: str) -> dict[str, str]:
        """The whole environment of a workload's container."""
        ...

    def log_files(self, workload: str) -> list[Path]:
        """Where the apps of a workload write, one file a replica; they need not exist yet."""
        ...

    def joined_logs(self, *, trace_id: str = "", run_id: str = "") -> list[LogLine]:
        """The lines of one trace or one run in every log, ordered by when they began.

        Raises UsageError for both, for neither, and for what is not a trace id.
        """
        ...
