"""One small mesh, and the warnings that a text of rules gives on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import Problem
from meshproof.istio04.lower import lower
from meshproof.lint.linter import find_warnings
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.world import Service, ServicePort

Lint = Callable[[str], list[Problem]]


@pytest.fixture
def lint() -> Lint:
    """svca and svcb (v1, v2) in ``default``, ``far`` in ``other``; all at port 80."""
    port = (ServicePort("http", 80, 8080, "HTTP"),)
    names = (("svca", "default"), ("svcb", "default"), ("far", "other"))
    services = [Service(name, namespace, {"app": name}, port) for name, namespace in names]
    pods = [
        ("default", {"app": "svca", "version": "v1"}),
        ("default", {"app": "svcb", "version": "v1"}),
        ("default", {"app": "svcb", "version": "v2"}),
        ("other", {"app": "svcb", "version": "v3"}),
        ("default", {"app": "svca", "version": "v4"}),
    ]

    def run(text: str) -> list[Problem]:
        rules = with_default_namespace(read_text(text, "rules.yaml"), "default")
        return find_warnings(lower(rules, services), services, pods)

    return run
