"""Processes that were started and did not end: they stand in for ``Runner.start``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class FakeProcess:
    """Runs until a test sets ``code``."""

    code: int | None = None
    terminated = False

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.terminated = True

    def wait(self, timeout: float | None = None) -> int:
        return 0


class FakeStart:
    """Stands in for ``machine.start``."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.processes: list[FakeProcess] = []

    def __call__(
        self, argv: Sequence[str], doing: str, *, output: Path | None = None
    ) -> FakeProcess:
        assert output is not None
        self.commands.append(" ".join(argv))
        self.processes.append(FakeProcess())
        return self.processes[-1]
