"""Settings enter once, from the environment, typed; every problem is in one error."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_OPENTELEMETRY = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.json.http")
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


def _has_opentelemetry() -> bool:
    try:
        return all(map(importlib.util.find_spec, _OPENTELEMETRY))
    except ModuleNotFoundError:  # not even the package around it
        return False


class SettingsError(Exception):
    """The environment is not usable; ``problems`` holds a line for each bad variable."""

    def __init__(self, service: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{service}: bad settings: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class CommonSettings:
    """What every service is told."""

    service: str
    version: str
    """``VERSION``; in answers and in every log line."""
    forward_trace_headers: bool
    """``FORWARD_TRACE_HEADERS``; off is the negative control of the trace proofs."""
    spans_to: str = ""
    """Where the service's own spans are sent; none are made where it is empty.
    ``OTEL_TRACES_EXPORTER=otlp`` with ``OTEL_EXPORTER_OTLP_ENDPOINT``."""


class EnvReader:
    """Reads variables, collects what is wrong with them, and raises it all in ``done``."""

    def __init__(self, service: str, environ: Mapping[str, str]) -> None:
        self._service = service
        self._environ = environ
        self._problems: list[str] = []

    def common(self) -> CommonSettings:
        return CommonSettings(
            service=self._service,
            version=self.text("VERSION", "v0.1"),
            forward_trace_headers=self.switch("FORWARD_TRACE_HEADERS", True),
            spans_to=self._spans_to(),
        )

    def _spans_to(self) -> str:
        exporter = self.text("OTEL_TRACES_EXPORTER", "none")
        if exporter == "none":
            return ""
        if exporter != "otlp":
            return self._bad("OTEL_TRACES_EXPORTER", "none or otlp", "")
        if not _has_opentelemetry():
            return self._bad("OTEL_TRACES_EXPORTER", "none, or the packages of meshproof[otel]", "")
        return f"{self.url('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4318')}/v1/traces"

    def text(self, name: str, default: str) -> str:
        value = self._environ.get(name, default)
        if not value.strip():
            return self._bad(name, "a text that is not empty", default)
        return value

    def switch(self, name: str, default: bool) -> bool:
        value = self._environ.get(name)
        if value is None:
            return default
        if value.lower() in _ON:
            return True
        if value.lower() in _OFF:
            return False
        return self._bad(name, "on or off", default)

    def seconds(self, name: str, default: float) -> float:
        value = self._environ.get(name)
        if value is None:
            return default
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= 3600:
            return self._bad(name, "seconds above 0 and at most 3600, such as 2.5", default)
        return seconds

    def number(self, name: str, default: float, *, most: float) -> float:
        """From 0 to ``most``."""
        value = self._environ.get(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number <= most:
            return self._bad(name, f"a number from 0 to {most:g}", default)
        return number

    def url(self, name: str, default: str) -> str:
        """An ``http://host[:port]`` without a path; a slash at its end is dropped."""
        value = self._environ.get(name, default)
        try:
            parts = urlsplit(value)
            port_ok = parts.port is None or parts.port > 0
        except ValueError:
            return self._bad(name, f"an address such as {default}", default)
        plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
        if parts.scheme != "http" or not parts.hostname or not port_ok or not plain:
            return self._bad(name, f"an address such as {default}", default)
        return value.rstrip("/")

    def file(self, name: str, default: str) -> Path:
        """A file that can be made: its folder is there."""
        path = Path(self.text(name, default))
        if not path.parent.is_dir():
            return self._bad(name, "a file in a folder that exists", path)
        return path

    def done(self) -> None:
        """Raises SettingsError if anything was wrong."""
        if self._problems:
            raise SettingsError(self._service, self._problems)

    def _bad(self, name: str, wanted: str, default: T) -> T:
        self._problems.append(f"{name}={self._environ.get(name, '')!r}, wanted {wanted}")
        return default
