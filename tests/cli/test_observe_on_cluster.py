"""``observe`` on a cluster: add-ons are applied, shown and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.mesh import FakeMesh
from tests.fakes.remote_mesh import ClusterFakeMesh

Cli = Any


def test_observe_shows_where_each_is(cluster_fake: ClusterFakeMesh, cli: Cli) -> None:
    done = cli("observe", "manifests/observability")
    assert cluster_fake.calls == [("observe", Path("manifests/observability").absolute())]
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        ["grafana", "http://127.0.0.1:1"], ["kiali", "http://127.0.0.1:2"],
    ]  # fmt: skip
    assert cli("observe", "x", "--off").err == "the add-ons are deleted\n"
    assert cluster_fake.calls[1] == ("unobserve", Path("x").absolute())


def test_a_mesh_on_this_machine_has_nothing_to_delete(fake: FakeMesh, cli: Cli) -> None:
    done = cli("observe", "--off")
    assert done.code == 2
    assert "--off is for a cluster: here Prometheus ends with Ctrl-C" in done.err
