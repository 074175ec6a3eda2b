"""A load's settings survive their trip through the environment; bad ones name their variable."""

from __future__ import annotations

import pytest

from meshproof.traffic.settings import LoadSettings


def test_settings_survive_the_environment() -> None:
    settings = LoadSettings("run", "r", "s", 7, "/other", {"a": "b"})
    assert LoadSettings.from_environment(settings.as_environment()) == settings
    assert LoadSettings.from_environment({}) == LoadSettings()


@pytest.mark.parametrize(
    ("name", "value"), [("REQUESTS", "many"), ("HEADERS", "{"), ("HEADERS", "[1]")]
)
def test_bad_settings_name_their_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"MESHPROOF_LOAD_{name} is"):
        LoadSettings.from_environment({f"MESHPROOF_LOAD_{name}": value})
