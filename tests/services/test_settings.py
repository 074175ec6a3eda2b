from __future__ import annotations

from pathlib import Path

import pytest

from services.common.settings import SettingsError
from services.msgd.settings import Settings as MsgdSettings
from services.svca.settings import Settings as SvcaSettings
from services.svcb.settings import Settings as SvcbSettings


def test_an_empty_environment_will_do() -> None:
    settings = SvcaSettings.from_env({})
    assert settings.svcb_url == "http://svcb"
    assert settings.common.forward_trace_headers is True
    assert SvcbSettings.from_env({}).common.service == "svcb"


def test_svca_waits_longer_than_svcb() -> None:
    svcb = SvcbSettings.from_env({}).timeouts
    assert SvcaSettings.from_env({}).timeouts.read > svcb.connect + svcb.read


def test_what_is_set_arrives(tmp_path: Path) -> None:
    svca = SvcaSettings.from_env(
        {"SVCB_URL": "http://127.0.0.1:80/", "READ_TIMEOUT": "0.5", "VERSION": "v9"}
    )
    assert (svca.svcb_url, svca.timeouts.read) == ("http://127.0.0.1:80", 0.5)
    assert svca.common.version == "v9"
    assert MsgdSettings.from_env({"MSGD_DB": str(tmp_path / "x")}).db == tmp_path / "x"
    assert MsgdSettings.from_env({}).drop_duplicates is True
    assert MsgdSettings.from_env({"DROP_DUPLICATES": "off"}).drop_duplicates is False


def test_all_problems_are_in_one_error() -> None:
    environ = {
        "SVCB_URL": "svcb",
        "CONNECT_TIMEOUT": "soon",
        "READ_TIMEOUT": "-1",
        "FORWARD_TRACE_HEADERS": "maybe",
        "VERSION": " ",
    }
    with pytest.raises(SettingsError) as caught:
        SvcaSettings.from_env(environ)
    assert len(caught.value.problems) == len(environ)
    for name, value in environ.items():
        assert any(p.startswith(f"{name}={value!r}, wanted ") for p in caught.value.problems)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "https://svcb", "http://", "http://svcb/path", "http://svcb:0", "http://svcb:x",
     "http://u:p@svcb", "http://svcb?x=1", "//svcb"],
)  # fmt: skip
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsError, match=r"SVCB_URL=.* wanted an address such as http://svcb"):
        SvcaSettings.from_env({"SVCB_URL": url})


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "3601", "", "1s"])
def test_seconds_that_are_none(seconds: str) -> None:
    with pytest.raises(SettingsError, match="READ_TIMEOUT"):
        SvcbSettings.from_env({"READ_TIMEOUT": seconds})


@pytest.mark.parametrize("name", ["FAIL_PERCENT", "LIE_PERCENT", "DELAY_MS"])
@pytest.mark.parametrize("number", ["nan", "inf", "-1", "60001", "", "some"])
def test_planned_bugs_that_are_no_numbers(name: str, number: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}=.*wanted a number from 0 to"):
        SvcbSettings.from_env({name: number})


def test_a_store_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"MSGD_DB=.*wanted a file in a folder that exists"):
        MsgdSettings.from_env({"MSGD_DB": str(tmp_path / "no" / "x")})
