"""A service's own spans beside its sidecar's: off, unless ``OTEL_TRACES_EXPORTER=otlp``.

What is sent, and how it joins the sidecars' spans, is in ``services.common.otel``, which is loaded
only then: OpenTelemetry's packages are an extra (``meshproof[otel]``).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from flask import Flask

from services.common.settings import CommonSettings


class Tracing(Protocol):
    def calling(
        self, url: str, path: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Mapping[str, str]]:
        """Around a call to another service: gives the headers that it is to have."""
        ...


class Off:
    """No span: the headers stay as they came."""

    def calling(
        self, url: str, path: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Mapping[str, str]]:
        del url, path
        return nullcontext(headers)


OFF = Off()


def install(app: Flask, settings: CommonSettings) -> None:
    """``app.extensions["tracing"]`` from then on."""
    app.extensions["tracing"] = OFF
    if settings.spans_to:
        from services.common import otel  # noqa: PLC0415  # an extra

        app.extensions["tracing"] = otel.install(app, settings)
