"""svcb's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from services.common.settings import CommonSettings, EnvReader
from services.common.upstream import Timeouts
from services.svcb.bugs import PlannedBugs


@dataclass(frozen=True, slots=True)
class Settings:
    common: CommonSettings
    msgd_url: str
    """``MSGD_URL``"""
    timeouts: Timeouts
    """``CONNECT_TIMEOUT``, ``READ_TIMEOUT``; together less than svca waits."""
    bugs: PlannedBugs
    """``FAIL_PERCENT``, ``LIE_PERCENT`` (0 to 100), ``DELAY_MS`` (0 to 60000): for the proofs."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError with all problems."""
        env = EnvReader("svcb", environ)
        settings = cls(
            common=env.common(),
            msgd_url=env.url("MSGD_URL", "http://msgd.test:9997"),
            timeouts=Timeouts(
                connect=env.seconds("CONNECT_TIMEOUT", 1.0), read=env.seconds("READ_TIMEOUT", 3.0)
            ),
            bugs=PlannedBugs(
                fail_percent=env.number("FAIL_PERCENT", 0.0, most=100),
                delay_ms=env.number("DELAY_MS", 0.0, most=60_000),
                lie_percent=env.number("LIE_PERCENT", 0.0, most=100),
            ),
        )
        env.done()
        return settings
