"""What other processes get of a mesh on a cluster: a run folder with its control socket, so that
``meshproof up -d`` and the other commands find it; commands for its containers; growing logs."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path

from meshproof.cluster.commands import Runner
from meshproof.cluster.log_follower import LogFollower
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.pods import PROXY, Pod
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.queries import Queries
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import MeshproofError, UsageError
from meshproof.host import process_identity, run_folder

_POD_LIST_AGE = 5.0
"""Seconds for which a list of a workload's pods is good enough to follow their logs."""
_PRINT_ENVIRONMENT = "import json,os;print(json.dumps(dict(os.environ)))"


class ControlAdapter:
    """See ``control.protocols``: ``ServedMesh`` and ``Remote`` beyond the contract."""

    def __init__(
        self,
        state: MeshState,
        provider: Provider,
        runner: Runner,
        pods: WorkloadPods,
        queries: Queries,
    ) -> None:
        self._state = state
        self._provider = provider
        self._runner = runner
        self._pods = pods
        self._queries = queries
        self._run_dir: Path | None = None
        self._follower: LogFollower | None = None
        self._pod_lists: dict[str, tuple[float, list[Pod]]] = {}
        self._pod_lists_lock = threading.Lock()
        self.run_id = ""

    # -- run folder ------------------------------------------------------------------------------

    @property
    def run_dir(self) -> Path:
        if self._run_dir is None:
            raise MeshproofError(f"the mesh {self._state.name} is not up")
        return self._run_dir

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "s" / "control"

    def open(self) -> None:
        """Creates the run folder; connections to the cluster are held from now on."""
        if Path("/proc/self/ns").is_dir():
            self.run_id = process_identity.new_run_id()
            self._run_dir = run_folder.create(self.run_id)
        else:  # not Linux: only a mesh on a cluster runs there
            self.run_id = secrets.token_hex(4)
            self._run_dir = Path(tempfile.mkdtemp(prefix="meshproof-"))
        (self._run_dir / "s").mkdir(mode=0o700)
        self._follower = LogFollower(self._runner, self._run_dir / "logs")
        self._provider.kubectl.connect(self._run_dir / "k")

    def stop_following(self) -> None:
        if self._follower is not None:
            self._follower.close()

    def close(self) -> None:
        """Also removes the run folder; safe to repeat."""
        self.stop_following()
        self._provider.kubectl.disconnect()
        if self._run_dir is not None:
            run_folder.remove(self._run_dir, self.run_id)
            shutil.rmtree(self._run_dir, ignore_errors=True)

    # -- commands --------------------------------------------------------------------------------

    def environment(self, workload: str) -> dict[str, str]:
        """The whole environment of a workload's container."""
        result = self._queries.exec(workload, ["python3", "-c", _PRINT_ENVIRONMENT])
        if result.code:
            raise MeshproofError(f"{workload}: {result.stderr.decode(errors='replace').strip()}")
        environment: dict[str, str] = json.loads(result.stdout)
        return environment

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        """``kubectl exec`` in the app's container of the first ready replica. kubectl exits with
        the command's code, and prints a line about a code that is not 0 on standard error."""
        pod = self._pods.of(workload)[0]
        return (
            "kubectl", *self._provider.kubectl.access, "-n", pod.namespace,
            "exec", "-it" if terminal else "-i", pod.name, "-c", pod.container, "--",
        )  # fmt: skip

    # -- growing logs ----------------------------------------------------------------------------

    def log_files(self, workload: str) -> list[Path]:
        """The files that the pods' logs are written to from now on. New pods are noticed after
        ``_POD_LIST_AGE`` seconds; those of pods that are gone are not listed."""
        if self._follower is None:
            raise MeshproofError(f"the mesh {self._state.name} is not up")
        if workload in self._provider.outside:
            argv = self._provider.outside.follow_command(workload)
            since = "--since" if argv[0] == "docker" else "--since-time"
            return [self._follower.file(workload, argv, since)]
        return [
            self._follower.file(pod.name, self._follow_command(pod), "--since-time")
            for pod in self._recent_pods(workload)
        ]

    def _follow_command(self, pod: Pod) -> tuple[str, ...]:
        container = PROXY if pod.gateway else pod.container
        return (
            "kubectl", *self._provider.kubectl.access, "-n", pod.namespace,
            "logs", "-f", pod.name, "-c", container,
        )  # fmt: skip

    def _recent_pods(self, workload: str) -> list[Pod]:
        """A log's follower asks ten times a second; Kubernetes is asked every few seconds."""
        with self._pod_lists_lock:
            listed, pods = self._pod_lists.get(workload, (-_POD_LIST_AGE, []))
            if time.monotonic() - listed >= _POD_LIST_AGE:
                pods = sorted(self._current_pods(workload), key=lambda p: p.name)
                self._pod_lists[workload] = (time.monotonic(), pods)
        return pods

    def _current_pods(self, workload: str) -> list[Pod]:
        """None where it is scaled to 0."""
        if workload == "gateway":
            return self._pods.gateways()
        self._pods.resolve(workload)
        try:
            return self._pods.of(workload)
        except UsageError:
            return []
