"""What ``control.served.ServedMesh`` asks beyond the contract: a run folder with a control socket,
so that ``meshproof up -d`` and the other commands find this mesh too."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from meshproof.cluster.log_follower import Following
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.pods import PROXY, Pod
from meshproof.errors import MeshproofError, UsageError
from meshproof.host import process_identity, run_folder
from meshproof.mesh import Applied

_LATELY = 5.0
"""Seconds for which a look at a workload's pods is good enough to follow their logs."""
_ENVIRONMENT = "import json,os;print(json.dumps(dict(os.environ)))"


class ServedClusterMesh(ClusterMesh):
    """A ``ClusterMesh`` that another process can drive."""

    run_id = ""
    end_limit = 420.0
    """What deleting takes at most: on kind containers, networks and cluster (60 s for each
    command, 120 s for the last), elsewhere namespaces (180 s) and the rest (60 s each)."""
    _run_dir: Path | None = None
    _following: Following | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: dict[str, tuple[float, list[Pod]]] = {}
        self._looking_lock = threading.Lock()

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
            self.run_id = process_identity.new_run_id()
            self._run_dir = run_folder.create(self.run_id)
        else:  # not Linux: the embedded mesh does not run there, this one does
            self.run_id = secrets.token_hex(4)
            self._run_dir = Path(tempfile.mkdtemp(prefix="meshproof-"))
        (self._run_dir / "s").mkdir(mode=0o700)
        self._following = Following(self._runner, self._run_dir / "logs")
        return super().up()

    def down(self) -> None:
        try:
            if self._following is not None:
                self._following.close()
            super().down()
        finally:
            if self._run_dir is not None:
                run_folder.remove(self._run_dir, self.run_id)
                shutil.rmtree(self._run_dir, ignore_errors=True)

    def environment(self, workload: str) -> dict[str, str]:
        """The whole environment of a workload's container."""
        done = self.exec(workload, ["python3", "-c", _ENVIRONMENT])
        if done.code:
            raise MeshproofError(f"{workload}: {done.stderr.decode(errors='replace').strip()}")
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        """``kubectl exec`` in the app's container of the first ready replica. kubectl hands on
        the exit code, and says a code that is not 0 in a line of its own on standard error."""
        pod = self._pods_of(workload)[0]
        return (
            "kubectl", *self._kubectl.access, "-n", pod.namespace,
            "exec", "-it" if terminal else "-i", pod.name, "-c", pod.container, "--",
        )  # fmt: skip

    def named_logs(self, workload: str) -> str:
        """Of several pods each line begins with its pod's name, as when they are followed."""
        if workload == "gateway" or self._place.outside_url(workload):
            return self.logs(workload)
        found = self._pods_of(workload)
        texts = self._evidence.each(found, self._evidence.app_log)
        if len(found) == 1:
            return texts[0]
        return "".join(
            f"{pod.name} | {line}"
            for pod, text in sorted(zip(found, texts, strict=True), key=lambda one: one[0].name)
            for line in text.splitlines(keepends=True)
        )

    def log_files(self, workload: str) -> list[Path]:
        """Files to which the pods' logs are written from now on; new pods are seen after some
        seconds. Those of a pod that is gone are no longer named."""
        following = self._following
        if following is None:
            raise MeshproofError(f"the mesh {self.name} is not up")
        if follow := self._place.outside_follow(workload):
            since = "--since" if follow[0] == "docker" else "--since-time"
            return [following.file(workload, follow, since)]
        return [
            following.file(
                pod.name,
                (
                    "kubectl", *self._kubectl.access, "-n", pod.namespace,
                    "logs", "-f", pod.name, "-c", PROXY if pod.gateway else pod.container,
                ),
                "--since-time",
            )
            for pod in self._pods_lately(workload)
        ]  # fmt: skip

    def _pods_lately(self, workload: str) -> list[Pod]:
        """Asks Kubernetes at most every few seconds: who follows a log asks ten times a second."""
        with self._looking_lock:
            at, found = self._seen.get(workload, (-_LATELY, []))
            if time.monotonic() - at >= _LATELY:
                found = sorted(self._pods_now(workload), key=lambda p: p.name)
                self._seen[workload] = (time.monotonic(), found)
        return found

    def _pods_now(self, workload: str) -> list[Pod]:
        """None where it is scaled to 0."""
        if workload == "gateway":
            return [p for p in self._pods() if p.gateway and p.alive]
        self._resolve(workload)
        try:
            return self._pods_of(workload)
        except UsageError:
            return []
