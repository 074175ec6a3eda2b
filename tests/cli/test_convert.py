"""``meshproof convert``: YAML on standard output, what changed on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshproof.cli.main import app
from meshproof.errors import Refused
from meshproof.model.reader import read_text

OLD = """
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata: {name: out}
spec: {destination: {service: m.test}, ports: [{port: 80, protocol: http}]}
"""


def test_standard_output_can_be_applied(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(OLD)
    done = CliRunner().invoke(app, ["convert", str(file), "-n", "pay"])
    assert done.exit_code == 0, done.output
    (resource,) = read_text(done.stdout, "made.yaml")
    assert resource.title == "ServiceEntry pay/out"
    warnings = done.stderr.splitlines()
    assert warnings
    assert all(line.startswith("changed: ") for line in warnings)


def test_a_file_that_is_refused_prints_nothing() -> None:
    done = CliRunner().invoke(app, ["convert", "-"], input=OLD.replace("m.test", "'*.test'"))
    assert isinstance(done.exception, Refused)
    assert done.stdout == ""


def test_without_a_file() -> None:
    assert CliRunner().invoke(app, ["convert"]).exit_code == 2


@pytest.mark.parametrize("file", sorted(Path("rules/v1alpha2").glob("*.yaml")), ids=str)
def test_the_tutorial_s_own_rules_convert(file: Path) -> None:
    done = CliRunner().invoke(app, ["convert", str(file)])
    assert done.exit_code == 0, done.output
    assert "config.istio.io" not in done.stdout
