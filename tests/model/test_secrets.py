"""A Secret's values are in no message."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text

HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n"


@pytest.mark.parametrize(
    "body",
    [
        "data: {password: 'hunter2!'}",
        "data: {password: 7755331}",
        "stringData: {token: 7755331}",
        "stringData: {token: 77.55331}",
        "data: hunter2",
        "stringData: [hunter2]",
        "stringData: {a: {b: hunter2}}",
        "stringData: {token: 'hunter2}",
        "stringData: {token: !vault hunter2}",
        "stringData: {token: *hunter2}",
        "stringData:\n  token: hunter2: x",
        "immutable: hunter2",
    ],
)
def test_a_value_that_is_refused_is_not_told(body: str) -> None:
    with pytest.raises(Refused) as caught:
        read_text(HEAD + body + "\n", "f.yaml")
    assert "hunter2" not in str(caught.value)
    assert "55331" not in str(caught.value)
    assert "f.yaml:" in str(caught.value)


def test_what_is_wrong_with_it_is_still_said() -> None:
    with pytest.raises(Refused) as caught:
        read_text(HEAD + "stringData: {token: 7755331}\n", "f.yaml")
    assert str(caught.value) == (
        "f.yaml:4: Secret b/a: stringData.token: is a number, which is not shown; wanted a string;"
        " quote it"
    )


def test_other_kinds_values_are_told() -> None:
    with pytest.raises(Refused, match="7755331"):
        read_text(HEAD.replace("Secret", "ConfigMap") + "data: {a: 7755331}\n", "f.yaml")
