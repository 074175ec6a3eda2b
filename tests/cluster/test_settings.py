"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import UsageError
from tests.fakes.cluster_machine import Machine, mesh_on


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIND_NODES", "0"), ("KIND_NODES", "two"), ("KIND_CLUSTER", "My Cluster"),
        ("WHEELHOUSE", "/no/such"), ("GATEWAY_API_CRDS", "/no/such"), ("ISTIO_SKIP", "maybe"),
        ("ISTIO_SET", "nothing"), ("ISTIO_SET", "a='b"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(
    machine: Machine, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(UsageError, match=name):
        mesh_on(machine, tmp_path, {name: value})
