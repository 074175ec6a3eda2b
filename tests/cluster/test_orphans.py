"""Rules that a killed run left do not meet the next run."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.cluster_machine import ROOT, Machine, mesh_on


def test_rules_that_a_killed_run_left_do_not_meet_the_next(
    machine: Machine, tmp_path: Path
) -> None:
    killed = mesh_on(machine, tmp_path)
    killed.up()
    killed.apply([ROOT / "rules" / "svcb_v0_2_100.yaml"])
    killed.fault("pause", "msgd.test")
    machine.containers["meshproof-msgd.test"]["State"]["Paused"] = True
    theirs = {"kind": "VirtualService", "metadata": {"name": "own", "namespace": "payments"}}
    machine.kube.objects["VirtualService", "payments", "own"] = theirs
    mesh_on(machine, tmp_path).up()
    rules = {k[2] for k in machine.kube.objects if k[:2] == ("VirtualService", "payments")}
    assert rules == {"pay", "own"}, "what is not ours stays"
    assert ("EnvoyFilter", "payments", "live-mark") in machine.kube.objects
    assert machine.ran("docker rm -f meshproof-msgd.test"), "a paused one is made anew"
