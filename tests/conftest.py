"""Which tests take their time: they start, kill and time whole processes."""

from __future__ import annotations

import pytest

LONG = (
    "cli/test_load",
    "cli/test_observe",
    "cli/test_remote",
    "cli/test_up_dashboard",
    "cli/test_up_down",
    "dashboard/test_launch",
    "embedded/test_supervisor_ends",
    "embedded/test_supervisor_processes",
    "property/test_any_policy",
    "property/test_any_rule",
    "report/test_plugin",
    "report/test_plugin_ends",
    "traffic/test_load",
    "traffic/test_pod",
)
"""What `make test-long` runs, so that `make test` stays quick."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/".join(item.path.with_suffix("").parts[-2:]) in LONG:
            item.add_marker(pytest.mark.long)
