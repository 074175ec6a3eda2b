"""Locust on the cluster: a master and N workers as Jobs outside the mesh, on its gateway.

The pods hold what they wrote until it is fetched with ``kubectl exec``: a container's log is cut
where it grows large, and records that are lost would be proofs that are not. One Locust process
sends on one core; workers are the way past it, and past one machine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import meshproof.traffic
from meshproof.cluster import pods
from meshproof.cluster.assets import SYSTEM
from meshproof.cluster.images import Image
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.load_jobs import DAY, NAME, STARTED, documents
from meshproof.cluster.pods import Pod
from meshproof.istio04.dump import dump
from meshproof.project import Build
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.load import STOP_SECONDS
from meshproof.traffic.results import LoadError

IMAGE = Image("meshproof/load", Build(context=str(Path(meshproof.traffic.__file__).parent)))
"""Locust and the user that records; the locustfile is mounted."""
_WORKER = "meshproof.traffic.cluster_worker"
_ROUND = 5
"""Seconds for which one question to a pod waits for its end."""
Json = dict[str, Any]


class Spread:
    """One load on a cluster; it leaves nothing there, however it ends."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def run(self, order: DistributedLoad, image: str, stop: threading.Event) -> list[Json]:
        """Send it, and return what each pod brought, the master first: what
        ``distributed_load.write`` takes.

        Raises LoadError where a pod failed, or where ``stop`` was set before the end.
        """
        text = dump(documents(order, image))
        self._delete()  # what another load left that was killed
        try:
            self._kubectl.apply(text, doing="applying the load")
            found = self._running(order)
            self._ended(found, stop, order)
            return [self._brought(pod) for pod in found]
        finally:
            self._delete()

    def _delete(self) -> None:
        self._kubectl.run(
            "-n", SYSTEM, "delete", "configmap,service,job", "-l", f"app={NAME}",
            "--ignore-not-found", doing="deleting the load", timeout=120,
        )  # fmt: skip

    def _running(self, order: DistributedLoad) -> list[Pod]:
        """All pods, the master first."""
        deadline = time.monotonic() + STARTED
        while True:
            found = self._pods(order)
            if len(found) == order.workers + 1 and all(p.alive for p in found):
                return sorted(found, key=lambda p: p.labels.get("role", ""))
            why = "; ".join(f"{p.name}: {p.reason}" for p in found if not p.alive)
            if time.monotonic() > deadline or any(p.failed for p in found):
                raise LoadError(f"the load's pods do not run: {why or 'Kubernetes made none'}")
            time.sleep(0.5)

    def _pods(self, order: DistributedLoad) -> list[Pod]:
        items = self._kubectl.get(
            "pods", "-n", SYSTEM, "-l", f"app={NAME},run={order.run_id}",
            doing="looking at the load's pods",
        )  # fmt: skip
        return pods.pods(items)

    def _ended(self, found: Sequence[Pod], stop: threading.Event, order: DistributedLoad) -> None:
        """The master ends when the time is over or all is answered, and tells its workers."""
        limit = STARTED + order.seconds + STOP_SECONDS if order.seconds else DAY
        for pod in found:
            deadline = time.monotonic() + limit
            while not (code := self._ask(pod, "--ended", str(_ROUND))):
                if stop.is_set():
                    raise LoadError(f"load {order.run_id} was ended before it was over")
                if time.monotonic() > deadline:
                    raise LoadError(f"{pod.name} of the load did not end within {limit:g} s")
            if code != "0":
                tail = " | ".join(self._brought(pod)["log"].strip().splitlines()[-5:])
                raise LoadError(f"Locust ended with code {code} in {pod.name}; it said: {tail}")
            limit = 2 * STOP_SECONDS

    def _brought(self, pod: Pod) -> Json:
        found: Json = json.loads(self._ask(pod, "--collect"))
        return found

    def _ask(self, pod: Pod, *words: str) -> str:
        return self._kubectl.exec(
            SYSTEM, pod.name, "locust", ["python3", "-m", _WORKER, *words],
            doing=f"asking {pod.name} of the load", timeout=300,
        ).text  # fmt: skip
