"""``meshproof events``: changes and refusals, for people and for programs."""

from __future__ import annotations

import json
import re

from tests.cli.conftest import Cli
from tests.fakes.mesh import FakeMesh


def test_changes_are_told_with_what_became_of_them(fake: FakeMesh, cli: Cli) -> None:
    cli("apply", "-f", "-", stdin=b"kind: A\n")
    cli("apply", "-f", "-", stdin=b"refuse\n")
    cli("fault", "kill", "svca")
    lines = cli("events").out.splitlines()
    assert re.fullmatch(r"1 +\d\d:\d\d:\d\d +up +5 ms +1 +live", lines[1])
    assert re.fullmatch(r"2 +\S+ +apply <stdin> +5 ms +1 +live", lines[2])
    assert re.fullmatch(r"3 +\S+ +apply <stdin> +\d+ ms +Refused: a\.yaml:3: .*", lines[3])
    assert re.fullmatch(r"4 +\S+ +fault kill svca.* +\d+ ms +done", lines[4])


def test_a_program_asks_for_what_is_new(fake: FakeMesh, cli: Cli) -> None:
    cli("scale", "svca=2")
    (result,) = json.loads(cli("events", "--since", "1", "-o", "json").out)
    assert (result["number"], result["verb"], result["subject"]) == (2, "scale", "svca=2")
    assert result["acks"][0]["sidecar"] == "svca-1"
