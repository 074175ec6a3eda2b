"""What ``control.served.ServedMesh`` asks beyond the contract: a run folder with a control socket,
so that ``meshproof up -d`` and the other commands find this mesh too."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from meshproof.cluster.mesh import ClusterMesh
from meshproof.embedded import procfs, run_folder
from meshproof.errors import MeshproofError
from meshproof.mesh import Applied

_ENVIRONMENT = "import json,os;print(json.dumps(dict(os.environ)))"


class ServedClusterMesh(ClusterMesh):
    """A ``ClusterMesh`` that another process can drive."""

    run_id = ""
    _run_dir: Path | None = None

    @property
    def run_dir(self) -> Path:
        if self._run_dir is None:
            raise MeshproofError(f"the mesh {self.name} is not up")
        return self._run_dir

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "s" / "control"

    def up(self) -> Applied:
        if Path("/proc/self/ns").is_dir():
            self.run_id = procfs.new_run_id()
            self._run_dir = run_folder.create(self.run_id)
        else:  # not Linux: the embedded mesh does not run there, this one does
            self.run_id = secrets.token_hex(4)
            self._run_dir = Path(tempfile.mkdtemp(prefix="meshproof-"))
        (self._run_dir / "s").mkdir(mode=0o700)
        return super().up()

    def down(self) -> None:
        try:
            super().down()
        finally:
            if self._run_dir is not None:
                run_folder.remove(self._run_dir, self.run_id)
                shutil.rmtree(self._run_dir, ignore_errors=True)

    def apply_texts(
        self, texts: Sequence[tuple[str, str]], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        """``apply`` for files that the caller has read: pairs of name and YAML, all or none."""
        return self._apply([(text, file) for file, text in texts], namespace, strict)

    def delete_texts(self, texts: Sequence[tuple[str, str]], *, namespace: str = "") -> Applied:
        """``delete`` for files that the caller has read."""
        return self._delete([(text, file) for file, text in texts], namespace)

    def environment(self, workload: str) -> dict[str, str]:
        """The whole environment of a workload's container."""
        done = self.exec(workload, ["python3", "-c", _ENVIRONMENT])
        if done.code:
            raise MeshproofError(f"{workload}: {done.stderr.decode(errors='replace').strip()}")
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def log_files(self, workload: str) -> list[Path]:
        """None: a cluster keeps its logs itself; ``logs`` asks for them."""
        self._resolve(workload)
        return []
