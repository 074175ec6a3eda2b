"""Rules by their text, read as a user's file would be, into namespace ``default``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.model.reader import read_text, with_default_namespace
from meshproof.model.resource import Resource
from meshproof.translate.world import Service, ServicePort

Read = Callable[[str], list[Resource]]


@pytest.fixture
def read() -> Read:
    return lambda text: with_default_namespace(read_text(text, "rules.yaml"), "default")


@pytest.fixture
def services() -> list[Service]:
    port = (ServicePort("http", 80, 8080, "HTTP"),)
    services = [Service(name, "default", {"app": name}, port) for name in ("svca", "svcb", "svcc")]
    return [*services, Service("blind", "default", {}, port), Service("far", "other", {}, port)]
