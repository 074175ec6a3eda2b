"""What a workload's name means."""

from __future__ import annotations

import pytest

from meshproof.errors import UsageError
from meshproof.workload_names import resolve

SUITE = [
    ("default", "svca", "svca"),
    ("default", "svcb-v1", "svcb"),
    ("default", "svcb-v2", "svcb"),
    ("pay", "svca", "svca"),
    ("pay", "till-blue", "till"),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("svcb-v1", ("default", "svcb-v1")),
        ("pay/svca", ("pay", "svca")),
        ("till", ("pay", "till-blue")),
        ("pay/till", ("pay", "till-blue")),
    ],
)
def test_one_fits(name: str, expected: tuple[str, str]) -> None:
    assert resolve(name, SUITE) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("svca", "workload svca is ambiguous; wanted one of default/svca, pay/svca"),
        ("svcb", "workload svcb is ambiguous; wanted one of default/svcb-v1, default/svcb-v2"),
        ("pay/svcb", "no workload pay/svcb; there is default/svca, default/svcb-v1"),
        ("nope", "no workload nope; there is default/svca"),
        ("a/b/c", "'a/b/c' is not a workload; wanted NAME or NAMESPACE/NAME"),
        ("/svca", "'/svca' is not a workload"),
        ("pay/", "'pay/' is not a workload"),
    ],
)
def test_none_or_several_fit(name: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        resolve(name, SUITE)
    assert str(refusal.value).startswith(message)


def test_a_name_is_not_hidden_by_a_label() -> None:
    assert resolve("a", [("x", "a", "b"), ("x", "b", "a")]) == ("x", "a")


def test_an_empty_mesh_says_so() -> None:
    with pytest.raises(UsageError, match="no workload a; the mesh has none"):
        resolve("a", [])
