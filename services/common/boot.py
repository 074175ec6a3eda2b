"""What a process does before it serves: settings, logs, application, or one clear refusal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from flask import Flask

from services.common import logs
from services.common.settings import CommonSettings, SettingsError

GIVE_UP = 3
"""gunicorn ends as a whole when a worker exits with this code; others it would start again."""


class HasCommon(Protocol):
    @property
    def common(self) -> CommonSettings: ...


S = TypeVar("S", bound=HasCommon)


def boot(read: Callable[[Mapping[str, str]], S], create_app: Callable[[S], Flask]) -> Flask:
    """The application, with the environment's settings; the only reader of ``os.environ``."""
    try:
        settings = read(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(GIVE_UP) from None
    logs.to_stdout(settings.common)
    return create_app(settings)
