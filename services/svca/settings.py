"""svca's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from services.common.settings import CommonSettings, EnvReader
from services.common.upstream import Timeouts


@dataclass(frozen=True, slots=True)
class Settings:
    common: CommonSettings
    svcb_url: str
    """``SVCB_URL``"""
    timeouts: Timeouts
    """``CONNECT_TIMEOUT``, ``READ_TIMEOUT``; more than svcb's own, so that its word arrives."""
    send_message_id: bool
    """``SEND_MESSAGE_ID``; off is the negative control of the retry proofs: svcb then makes an id
    for each try, and a repeated message cannot be told from a new one."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError with all problems."""
        env = EnvReader("svca", environ)
        settings = cls(
            common=env.common(),
            svcb_url=env.url("SVCB_URL", "http://svcb"),
            timeouts=Timeouts(
                connect=env.seconds("CONNECT_TIMEOUT", 1.0), read=env.seconds("READ_TIMEOUT", 5.0)
            ),
            send_message_id=env.switch("SEND_MESSAGE_ID", True),
        )
        env.done()
        return settings
