"""A call is declared once, as a function of ``control/routes``: the server finds it by itself."""

from __future__ import annotations

from collections import Counter

import pytest

from meshproof.control import routes
from meshproof.control.client import Client
from meshproof.control.connection import post
from meshproof.control.context import ControlContext
from meshproof.control.endpoint import query
from meshproof.errors import UsageError


def test_every_endpoint_has_a_path_of_its_own() -> None:
    paths = Counter(endpoint.path for endpoint in routes.endpoints())
    assert paths["/apply"] == 1
    assert [path for path, count in paths.items() if count > 1] == []


def test_every_method_of_the_client_is_served() -> None:
    served = {endpoint.path for endpoint in routes.endpoints()}
    methods = [value for value in vars(Client).values() if hasattr(value, "path")]
    assert len(methods) > 20
    assert {method.path for method in methods} <= served


def test_arguments_travel_by_the_names_of_the_handler_s_parameters() -> None:
    @query
    def example(context: ControlContext, /, workload: str, n: int = 1, **options: float) -> str:
        return workload

    assert example.path == "/example"
    assert example.arguments("svca", ms=5.0) == {"workload": "svca", "ms": 5.0}
    with pytest.raises(UsageError, match="/example: missing a required argument: 'workload'"):
        example.check({"n": 2})


def test_arguments_that_an_endpoint_does_not_take_are_refused(client: Client) -> None:
    with pytest.raises(UsageError, match="/scale: got an unexpected keyword argument 'color'"):
        list(post(client.entry, "/scale", '{"workload": "svca", "replicas": 1, "color": "red"}'))
