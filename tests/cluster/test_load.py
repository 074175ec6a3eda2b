"""A load from pods: what Kubernetes is told, what comes back, and that nothing stays.

tests/traffic/test_cluster_worker.py runs the same arguments and the same process with a real
Locust.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.cluster.commands import CommandError
from meshproof.cluster.load_jobs import documents
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import UsageError
from meshproof.traffic import distributed_load, results
from meshproof.traffic.distributed_load import LOG, RECORDS, STATS, DistributedLoad
from meshproof.traffic.record import Record
from meshproof.traffic.results import LoadError
from tests.fakes.cluster_machine import ROOT, Machine
from tests.services.test_requirements import locked

ORDER = DistributedLoad("r1", workers=2, users=8, requests=3, locustfile="# users\n")
TRAFFIC = ROOT / "meshproof" / "traffic"


def brought(*versions: str, log: str = "table", status: int = 200) -> str:
    """What one pod says."""
    records = [Record(float(n), 0.1, status, version=v) for n, v in enumerate(versions)]
    lines = "".join(json.dumps(r.as_dict()) + "\n" for r in records).encode()
    stats = {"sent": len(records), "requests": len(records), "failures": 0}
    stats["failures"] = sum(not r.answered for r in records)
    packed = base64.b64encode(gzip.compress(lines)).decode()
    return json.dumps({"log": log, "stats": stats, "records": packed})


def pods_say(machine: Machine, **said: str) -> None:
    for pod, text in said.items():
        name = pod.replace("_", "-")
        machine.fail(f"exec load-{name} -c locust -- python3 -m meshproof.traffic.cluster_worker "
                     "--collect",
                     (0, text, ""))  # fmt: skip


def left(machine: Machine) -> list[Any]:
    return [key for key in machine.kube.objects if key[0] == "Job" or key[2] == "load"]


def test_what_the_workers_brought_is_one_load(
    cluster: ClusterMesh, machine: Machine, tmp_path: Path
) -> None:
    pods_say(machine, master_0=brought(log="sum"), worker_0=brought("v0.1", "v0.2"),
             worker_1=brought("v0.2"))  # fmt: skip
    distributed_load.write(cluster.spread_load(ORDER, threading.Event()), tmp_path)
    found = results.read("r1", tmp_path / RECORDS, tmp_path / STATS)
    assert (found.sent, dict(found.sample().counts)) == (3, {"v0.1": 1, "v0.2": 2})
    assert (tmp_path / LOG).read_text() == "sum"
    assert left(machine) == []


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
    said = json.loads(brought("v0.1"))
    said["stats"] = {"sent": 2, "requests": 2, "failures": 0}
    pods_say(machine, worker_0=json.dumps(said))
    distributed_load.write(cluster.spread_load(ORDER, threading.Event()), tmp_path)
    with pytest.raises(LoadError, match=r"1 records.*Locust says 2 sent"):
        results.read("r1", tmp_path / RECORDS, tmp_path / STATS)


def test_pods_that_do_not_start_say_why(
    cluster: ClusterMesh, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.cluster.load.STARTED", -1.0)
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    pod = {
        "metadata": {"name": "load-master-0", "namespace": "meshproof-system"},
        "spec": {"containers": [{"name": "locust"}]},
        "status": {
            "phase": "Pending", "containerStatuses": [{"name": "locust", "state": waiting}],
        },
    }  # fmt: skip
    machine.fail("-l app=load,run=r1", (0, json.dumps({"items": [pod]}), ""))
    with pytest.raises(LoadError, match="load-master-0: locust: ImagePullBackOff"):
        cluster.spread_load(ORDER, threading.Event())
    assert left(machine) == []


def test_locust_s_own_failure_is_told_with_its_words(
    cluster: ClusterMesh, machine: Machine
) -> None:
    ended = "load-worker-1 -c locust -- python3 -m meshproof.traffic.cluster_worker --ended"
    machine.fail(ended, (0, "1", ""))
    pods_say(machine, worker_1=brought(log="no such user class"))
    with pytest.raises(LoadError, match="code 1 in load-worker-1; it said: no such user class"):
        cluster.spread_load(ORDER, threading.Event())
    assert left(machine) == []


def test_a_pod_that_is_gone_is_an_error(cluster: ClusterMesh, machine: Machine) -> None:
    gone = (1, "", 'Error from server (NotFound): pods "load-worker-0" not found\n')
    machine.fail("load-worker-0 -c locust", gone)
    with pytest.raises(CommandError, match="not found"):
        cluster.spread_load(ORDER, threading.Event())
    assert left(machine) == []


def test_who_asked_for_it_may_end_it(cluster: ClusterMesh, machine: Machine) -> None:
    machine.fail("--ended", (0, "", ""))
    stop = threading.Event()
    stop.set()
    with pytest.raises(LoadError, match="load r1 was ended before it was over"):
        cluster.spread_load(ORDER, stop)
    assert left(machine) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requests": 0}, "one of --seconds and --requests"),
        ({"seconds": 1.0}, "one of --seconds and --requests"),
        ({"users": 1}, "2 workers for 1 users"),
        ({"requests": 1}, "2 workers for 1 requests"),
    ],
)
def test_what_cannot_be_spread_is_refused(
    cluster: ClusterMesh, machine: Machine, change: dict[str, Any], said: str
) -> None:
    before = len(machine.commands)
    with pytest.raises(UsageError, match=said):
        cluster.spread_load(replace(ORDER, **change), threading.Event())
    assert len(machine.commands) == before


def test_the_jobs_end_by_themselves_and_outside_the_mesh() -> None:
    made = documents(replace(ORDER, requests=0, seconds=10.0), "image")
    master, worker = (d for d in made if d["kind"] == "Job")
    assert {d["metadata"]["namespace"] for d in made} == {"meshproof-system"}
    assert (
        "istio-injection: disabled"
        in (ROOT / "meshproof" / "cluster" / "assets" / "spans.yaml").read_text()
    ), "no sidecar keeps a Job of that namespace alive"
    assert worker["spec"]["completions"] == worker["spec"]["parallelism"] == 2
    for job in (master, worker):
        assert 10 < job["spec"]["activeDeadlineSeconds"] < 3600
        assert job["spec"]["ttlSecondsAfterFinished"]
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_image_has_what_is_tested_and_nothing_of_an_index() -> None:
    everything = locked(ROOT / "requirements.lock")
    inside = locked(TRAFFIC / "requirements.lock")
    assert "locust" in inside
    assert [name for name, entry in inside.items() if everything[name] != entry] == []
    for name in ("requirements.lock", "Dockerfile"):
        assert "://" not in (TRAFFIC / name).read_text()


def test_the_image_has_every_file_that_its_process_imports() -> None:
    copied = {
        word
        for line in (TRAFFIC / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY") and line.endswith("meshproof/traffic/")
        for word in line.split()[1:-1]
    }
    todo, needed = ["cluster_worker", "locust_user"], set()
    while todo:
        name = todo.pop()
        needed.add(f"{name}.py")
        for line in (TRAFFIC / f"{name}.py").read_text().splitlines():
            if line.startswith(("from meshproof.", "import meshproof")):
                assert line.startswith("from meshproof.traffic."), line
                todo.append(line.split()[1].rpartition(".")[2])
    assert copied == needed
