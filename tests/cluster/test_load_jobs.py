"""The Jobs of a load, and the image that they run."""

from __future__ import annotations

from dataclasses import replace

from meshproof.cluster.load_jobs import documents
from meshproof.traffic.distributed_load import DistributedLoad
from tests.fakes.cluster_machine import ROOT
from tests.services.test_requirements import locked

ORDER = DistributedLoad("r1", workers=2, users=8, requests=3, locustfile="# users\n")
TRAFFIC = ROOT / "meshproof" / "traffic"


def test_the_jobs_end_by_themselves_and_outside_the_mesh() -> None:
    jobs = documents(replace(ORDER, requests=0, seconds=10.0), "image")
    master, worker = (d for d in jobs if d["kind"] == "Job")
    assert {d["metadata"]["namespace"] for d in jobs} == {"meshproof-system"}
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
