"""A load from pods: what Kubernetes is told, what comes back, and that nothing stays.

tests/traffic/test_cluster_worker.py runs the same arguments and the same process with a real
Locust."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.cluster.commands import CommandError
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import UsageError
from meshproof.traffic import distributed_load, results
from meshproof.traffic.distributed_load import LOG, RECORDS, STATS, DistributedLoad
from meshproof.traffic.results import LoadError
from tests.fakes.cluster_machine import Machine
from tests.fakes.pod_results import pod_results

ORDER = DistributedLoad("r1", workers=2, users=8, requests=3, locustfile="# users\n")


def set_results(machine: Machine, **results_by_pod: str) -> None:
    for pod, text in results_by_pod.items():
        name = pod.replace("_", "-")
        machine.fail(f"exec load-{name} -c locust -- python3 -m meshproof.traffic.cluster_worker "
                     "--collect",
                     (0, text, ""))  # fmt: skip


def leftovers(machine: Machine) -> list[Any]:
    return [key for key in machine.kube.objects if key[0] == "Job" or key[2] == "load"]


def test_what_the_workers_brought_is_one_load(
    cluster: ClusterMesh, machine: Machine, tmp_path: Path
) -> None:
    set_results(machine, master_0=pod_results(log="sum"), worker_0=pod_results("v0.1", "v0.2"),
             worker_1=pod_results("v0.2"))  # fmt: skip
    distributed_load.write(cluster.spread_load(ORDER, threading.Event()), tmp_path)
    load_results = results.read("r1", tmp_path / RECORDS, tmp_path / STATS)
    assert (load_results.sent, dict(load_results.sample().counts)) == (3, {"v0.1": 1, "v0.2": 2})
    assert (tmp_path / LOG).read_text() == "sum"
    assert leftovers(machine) == []


def test_the_image_is_built_and_brought_before(cluster: ClusterMesh, machine: Machine) -> None:
    commands = machine.since(lambda: cluster.spread_load(ORDER, threading.Event()))
    steps = [c.split(" meshproof/load:")[0] for c in commands if "meshproof/load:" in c]
    assert steps[1].startswith("docker build")
    assert steps[2] == "kind load docker-image"
    image = commands[1].split("--tag ")[1].split()[0]
    jobs = [d for d in yaml.safe_load_all(machine.sent(" apply -f -")[-1]) if d["kind"] == "Job"]
    assert {j["spec"]["template"]["spec"]["containers"][0]["image"] for j in jobs} == {image}


def test_a_worker_that_lost_records_is_no_evidence(
    cluster: ClusterMesh, machine: Machine, tmp_path: Path
) -> None:
    lossy = json.loads(pod_results("v0.1"))
    lossy["stats"] = {"sent": 2, "requests": 2, "failures": 0}
    set_results(machine, worker_0=json.dumps(lossy))
    distributed_load.write(cluster.spread_load(ORDER, threading.Event()), tmp_path)
    with pytest.raises(LoadError, match=r"1 records.*Locust says 2 sent"):
        results.read("r1", tmp_path / RECORDS, tmp_path / STATS)


def test_pods_that_do_not_start_say_why(
    cluster: ClusterMesh, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.cluster.load.STARTED", -1.0)
    state = {"waiting": {"reason": "ImagePullBackOff"}}
    pod = {
        "metadata": {"name": "load-master-0", "namespace": "meshproof-system"},
        "spec": {"containers": [{"name": "locust"}]},
        "status": {
            "phase": "Pending", "containerStatuses": [{"name": "locust", "state": state}],
        },
    }  # fmt: skip
    machine.fail("-l app=load,run=r1", (0, json.dumps({"items": [pod]}), ""))
    with pytest.raises(LoadError, match="load-master-0: locust: ImagePullBackOff"):
        cluster.spread_load(ORDER, threading.Event())
    assert leftovers(machine) == []


def test_locust_s_own_failure_is_told_with_its_words(
    cluster: ClusterMesh, machine: Machine
) -> None:
    ended = "load-worker-1 -c locust -- python3 -m meshproof.traffic.cluster_worker --ended"
    machine.fail(ended, (0, "1", ""))
    set_results(machine, worker_1=pod_results(log="no such user class"))
    with pytest.raises(
        LoadError, match="exited with 1 in load-worker-1; its log ends: no such user"
    ):
        cluster.spread_load(ORDER, threading.Event())
    assert leftovers(machine) == []


def test_a_pod_that_is_gone_is_an_error(cluster: ClusterMesh, machine: Machine) -> None:
    not_found = (1, "", 'Error from server (NotFound): pods "load-worker-0" not found\n')
    machine.fail("load-worker-0 -c locust", not_found)
    with pytest.raises(CommandError, match="not found"):
        cluster.spread_load(ORDER, threading.Event())
    assert leftovers(machine) == []


def test_who_asked_for_it_may_end_it(cluster: ClusterMesh, machine: Machine) -> None:
    machine.fail("--ended", (0, "", ""))
    stop = threading.Event()
    stop.set()
    with pytest.raises(LoadError, match="load r1 was ended before it was over"):
        cluster.spread_load(ORDER, stop)
    assert leftovers(machine) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"requests": 0}, "one of --seconds and --requests"),
        ({"seconds": 1.0}, "one of --seconds and --requests"),
        ({"users": 1}, "2 workers for 1 users"),
        ({"requests": 1}, "2 workers for 1 requests"),
    ],
)
def test_what_cannot_be_spread_is_refused(
    cluster: ClusterMesh, machine: Machine, change: dict[str, Any], message: str
) -> None:
    before = len(machine.commands)
    with pytest.raises(UsageError, match=message):
        cluster.spread_load(replace(ORDER, **change), threading.Event())
    assert len(machine.commands) == before
