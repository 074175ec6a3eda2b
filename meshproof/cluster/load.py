"""Locust on the cluster: a master and N workers as Jobs outside the mesh, against its gateway.

Each pod keeps what it wrote until ``kubectl exec`` has fetched it: Kubernetes truncates a large
container log, and a proof on truncated records would be void. One Locust process sends on one core;
workers go beyond one core, and beyond one machine.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import meshproof.traffic
from meshproof.cluster.assets import SYSTEM
from meshproof.cluster.images import Image
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.load_jobs import DAY, NAME, STARTED, documents
from meshproof.cluster.pods import Pod, parse_pods
from meshproof.errors import NotLive
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.project import Build
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.load import STOP_SECONDS
from meshproof.traffic.results import LoadError
from meshproof.wait import until

IMAGE = Image("meshproof/load", Build(context=str(Path(meshproof.traffic.__file__).parent)))
"""Locust and the user class that records requests; the locustfile is mounted."""
_WORKER = "meshproof.traffic.cluster_worker"
_POLL = 5
"""Seconds that one ``--ended`` question waits inside the pod."""


class ClusterLoad:
    """Runs one load on a cluster at a time; nothing of it stays there, however it ends."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def run(self, load: DistributedLoad, image: str, stop: threading.Event) -> list[Json]:
        """Sends the load. Returns what each pod brought back, the master first, as
        ``distributed_load.write`` takes it.

        Raises LoadError where a pod failed, or where ``stop`` was set before the end.
        """
        manifests = documents_to_yaml(documents(load, image))
        self._delete()  # a load that was killed may have left its Jobs
        try:
            self._kubectl.apply(manifests, doing="applying the load")
            pods = self._wait_running(load)
            self._wait_ended(pods, stop, load)
            return [self._collect(pod) for pod in pods]
        finally:
            self._delete()

    def _delete(self) -> None:
        self._kubectl.run(
            "-n", SYSTEM, "delete", "configmap,service,job", "-l", f"app={NAME}",
            "--ignore-not-found", "--cascade=foreground",  # returns when the pods are gone, too
            doing="deleting the load", timeout=120,
        )  # fmt: skip

    def _wait_running(self, load: DistributedLoad) -> list[Pod]:
        """All pods once all of them run, the master first."""
        pods: list[Pod] = []

        def reason() -> str:
            nonlocal pods
            pods = self._pods(load)
            pending = "; ".join(f"{p.name}: {p.reason}" for p in pods if not p.alive)
            if any(p.failed for p in pods):
                raise LoadError(f"a pod of the load failed: {pending}")
            missing = load.workers + 1 - len(pods)
            return pending or (f"{missing} pods do not exist yet" if missing else "")

        try:
            until(reason, "waiting for the load's pods to run", within=STARTED, every=0.5)
        except NotLive as error:
            raise LoadError(str(error)) from None
        return sorted(pods, key=lambda p: p.labels.get("role", ""))

    def _pods(self, load: DistributedLoad) -> list[Pod]:
        items = self._kubectl.list(
            "pods", namespace=SYSTEM, labels=f"app={NAME},run={load.run_id}",
            doing="looking at the load's pods",
        )  # fmt: skip
        return parse_pods(items)

    def _wait_ended(
        self, pods: Sequence[Pod], stop: threading.Event, load: DistributedLoad
    ) -> None:
        """The master ends when its time is up or every request is answered, and tells its
        workers to end."""
        limit = STARTED + load.seconds + STOP_SECONDS if load.seconds else DAY
        for pod in pods:
            code = self._exit_code(pod, stop, load, within=limit)
            if code != "0":
                tail = " | ".join(self._collect(pod)["log"].strip().splitlines()[-5:])
                raise LoadError(f"Locust exited with {code} in {pod.name}; its log ends: {tail}")
            limit = 2 * STOP_SECONDS

    def _exit_code(
        self, pod: Pod, stop: threading.Event, load: DistributedLoad, *, within: float
    ) -> str:
        """Locust's exit code in one pod. The pod itself waits ``_POLL`` seconds a question."""
        code = ""

        def reason() -> str:
            nonlocal code
            code = self._ask(pod, "--ended", str(_POLL))
            if not code and stop.is_set():
                raise LoadError(f"load {load.run_id} was ended before it was over")
            return "" if code else "Locust is still running"

        try:
            until(reason, f"waiting for the load to end in {pod.name}", within=within, every=0)
        except NotLive as error:
            raise LoadError(str(error)) from None
        return code

    def _collect(self, pod: Pod) -> Json:
        results: Json = json.loads(self._ask(pod, "--collect"))
        return results

    def _ask(self, pod: Pod, *arguments: str) -> str:
        return self._kubectl.exec(
            SYSTEM, pod.name, "locust", ["python3", "-m", _WORKER, *arguments],
            doing=f"asking {pod.name} about the load", timeout=300,
        ).text  # fmt: skip
