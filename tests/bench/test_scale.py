from __future__ import annotations

import math

import psutil
import pytest

from bench import scale
from bench.scale import Sample
from meshproof.errors import MeshproofError


def sample(workloads: int, replicas: int) -> Sample:
    size = float(workloads * replicas)
    idle = {"envoys": 0.1, "mesh": 0.1}
    return Sample(workloads, replicas, size, [size**2] * 3, [1.0] * workloads, idle)


def test_shapes_of_one_replica_show_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "SHAPES", ((10, 1), (10, 5), (100, 1)))
    monkeypatch.setattr(scale, "_sample", sample)
    growths = {f.name: f.value for f in scale.measure().figures if f.note == "exponent"}
    assert growths == {
        "growth from 10 to 100 workloads: up to first answer": pytest.approx(1),
        "growth from 10 to 100 workloads: apply to live, p50": pytest.approx(2),
        "growth from 10 to 100 workloads: memory of all sidecars": pytest.approx(1),
    }


def test_larger_shapes_are_held_against_100_x_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "SHAPES", ((10, 1), (100, 1), (300, 1)))
    monkeypatch.setattr(scale, "_sample", sample)
    figures = {f.name: f for f in scale.measure().figures}
    beside = figures["300 x 1 replicas: apply to live, p99, 100 x 1 = 1"]
    assert beside.value == pytest.approx(9)
    assert beside.met is False
    assert "10 x 1 replicas: apply to live, p99, 100 x 1 = 1" not in figures


def test_a_shape_without_room_is_left_out_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    room = int(scale.required_memory(50, 1))
    free = psutil.virtual_memory()._replace(available=room)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(scale, "SHAPES", ((10, 1), (1000, 1)))
    monkeypatch.setattr(scale, "_sample", sample)
    (last,) = (f for f in scale.measure().figures if f.name == "1000 x 1 replicas")
    assert math.isnan(last.value)
    assert "left out" in last.note


def test_a_shape_that_does_not_come_up_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(workloads: int, replicas: int) -> Sample:
        if workloads == 100:
            raise MeshproofError("the Envoy of app-7 did not serve within 30 s")
        return sample(workloads, replicas)

    monkeypatch.setattr(scale, "SHAPES", ((10, 1), (100, 1)))
    monkeypatch.setattr(scale, "_sample", fail)
    figures = {f.name: f for f in scale.measure().figures}
    assert figures["10 x 1 replicas: up to first answer"].value == 10
    assert "did not serve" in figures["100 x 1 replicas"].note
