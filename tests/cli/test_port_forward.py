"""``port-forward`` on a mesh that is not of this machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_the_address_is_printed(fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fake, "port_forward", lambda workload, port: f"{workload}:{port}", raising=False
    )
    monkeypatch.setattr(fake, "pod_command", lambda _workload: (), raising=False)
    assert cli("port-forward", "svca", "5432").out == "svca:5432\n"
    assert '"address": "svca:5432"' in cli("port-forward", "svca", "5432", "-o", "json").out


def test_on_a_cluster_kubectl_does_it(fake: FakeMesh, cli: Cli) -> None:
    done = cli("port-forward", "svca", "5432")
    assert done.code == 2
    assert "kubectl port-forward deployment/svca 5432" in done.err
