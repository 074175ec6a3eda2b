"""msgd's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.common.settings import CommonSettings, EnvReader


@dataclass(frozen=True, slots=True)
class Settings:
    common: CommonSettings
    db: Path
    """``MSGD_DB``, an SQLite file; made when missing."""
    drop_duplicates: bool = True
    """``DROP_DUPLICATES``; off is a bug on purpose, for the accounting that must find it."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError with all problems."""
        env = EnvReader("msgd", environ)
        settings = cls(
            common=env.common(),
            db=env.file("MSGD_DB", "msgd.sqlite"),
            drop_duplicates=env.switch("DROP_DUPLICATES", True),
        )
        env.done()
        return settings
