"""When the autoscaler changes the number of replicas."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.admission.store import Store
from meshproof.embedded import autoscaling
from meshproof.embedded.autoscaling import Autoscaler
from meshproof.errors import MeshproofError
from meshproof.model.reader import read_resources, read_text

ROOT = Path(__file__).parents[2]
HPA = (ROOT / "manifests" / "autoscaling" / "svca.yaml").read_text(encoding="utf-8")
SUITE = read_resources([ROOT / "manifests" / "30-svca.yaml"])


def resources(text: str = HPA) -> list[Any]:
    return [*SUITE, *read_text(text, "hpa.yaml")]


class FakeEngine:
    """A fleet whose replicas use so many cores, and a store that takes changes."""

    def __init__(self, cores: float) -> None:
        self.cores = cores
        store, _ = Store().apply(resources())
        self.store = store
        self.refuses = False
        self.context = SimpleNamespace(project=None)

    @property
    def fleet(self) -> Any:
        key = ("payments", "svca")
        runners = [
            SimpleNamespace(name=f"svca-{i}", workload=SimpleNamespace(key=key), ready=True)
            for i in range(self.replicas)
        ]
        return SimpleNamespace(runners=runners)

    @property
    def replicas(self) -> int:
        (deployment,) = self.store.of("Deployment")
        return int(deployment.spec.replicas)

    async def change(self, edit: Any, _started: float) -> None:
        if self.refuses:
            raise MeshproofError("no room")
        self.store = edit(self.store)


def scaled(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, rounds: int = 1) -> int:
    """Replicas after so many periods."""
    scaler = Autoscaler(cast("Any", engine.context), cast("Any", engine))

    async def measured(_scalers: Any) -> Any:
        samples = autoscaling.Samples()
        samples.cores = {r.name: engine.cores for r in engine.fleet.runners}
        return samples

    async def some_rounds() -> None:
        done = 0

        async def count(*_: Any) -> Any:
            nonlocal done
            done += 1
            if done > rounds:
                raise asyncio.CancelledError
            return await measured(_)

        monkeypatch.setattr(scaler, "_measure", count)
        with pytest.raises(asyncio.CancelledError):
            await scaler.run()

    asyncio.run(some_rounds())
    return engine.replicas


def test_it_scales_what_is_applied_up_to_its_most(monkeypatch: pytest.MonkeyPatch) -> None:
    # 50m are requested and 80 % of that wanted: 0.04 cores a replica.
    assert scaled(FakeEngine(0.041), monkeypatch) == 1
    assert scaled(FakeEngine(0.07), monkeypatch) == 2
    assert scaled(FakeEngine(1.0), monkeypatch) == 3


def test_what_is_refused_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = FakeEngine(1.0)
    engine.refuses = True
    assert scaled(engine, monkeypatch) == 1
    assert "HorizontalPodAutoscaler payments/svca: cannot scale to 3 replicas: no room" in (
        caplog.text
    )
    engine.refuses = False
    assert scaled(engine, monkeypatch) == 3


def test_zero_replicas_switch_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(1.0)
    (deployment,) = engine.store.of("Deployment")
    engine.store = engine.store.scale(deployment.namespace, deployment.name, 0)
    assert scaled(engine, monkeypatch) == 0
