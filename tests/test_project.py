"""Project files: read whole, or refused whole with the line of every problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import Refused, UsageError
from meshproof.placeholders import expand
from meshproof.project import ImageCommand, RealAddress, load_project

GOOD = """\
manifests: [manifests, gateway.yaml]
rules: [rules]
images:
  svca:1:
    command: ["{python}", -m, gunicorn, --bind, "unix:{socket}"]
    env: {HOME: "{here}/home", LITERAL: "{{ip}}"}
outside:
  msgd.test:
    command: [msgd, "{ip}", "{port}"]
    ports: {80: null, 9997: null}
    aliases: [10.100.35.27]
    ready: /readyz
  pay.test:
    ports: {80: 18080, 443: "127.0.0.9:18443"}
"""


def write(folder: Path, text: str, name: str = "meshproof.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def refused(folder: Path, text: str) -> list[str]:
    file = write(folder, text)
    with pytest.raises(Refused) as caught:
        load_project(file)
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


def test_a_whole_project(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, GOOD))
    assert project.root == tmp_path
    assert project.manifests == (tmp_path / "manifests", tmp_path / "gateway.yaml")
    assert project.rules == (tmp_path / "rules",)
    assert project.images["svca:1"].env == {"HOME": f"{tmp_path}/home", "LITERAL": "{{ip}}"}
    msgd, pay = project.outside["msgd.test"], project.outside["pay.test"]
    assert msgd.ports == {80: None, 9997: None}
    assert (msgd.aliases, msgd.ready) == (["10.100.35.27"], "/readyz")
    assert pay.ports == {
        80: RealAddress(ip="127.0.0.1", port=18080),
        443: RealAddress(ip="127.0.0.9", port=18443),
    }


def test_extra_files_replace_entries_of_the_same_name(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    images = write(other, 'svca:1: {command: ["{here}/run"]}\nsvcb:1: {command: [b]}\n', "i.yaml")
    outside = write(other, "pay.test: {ports: {80: 1}}\n", "o.yaml")
    project = load_project(
        write(tmp_path, GOOD), images=images, outside=outside, manifests=[tmp_path / "m", "-"]
    )
    assert project.images["svca:1"] == ImageCommand(command=[f"{other}/run"])
    assert sorted(project.images) == ["svca:1", "svcb:1"]
    assert project.outside["pay.test"].ports == {80: RealAddress(ip="127.0.0.1", port=1)}
    assert project.manifests == (tmp_path / "m", "-")


def test_without_a_project_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = load_project(manifests=["m.yaml"])
    assert (project.root, project.manifests) == (tmp_path, (tmp_path / "m.yaml",))
    assert (project.images, project.outside) == ({}, {})


def test_a_project_may_say_what_a_load_does(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    locustfile = write(tmp_path / "load", "", "users.py")
    text = "manifests: [m]\nlocustfile: load/users.py\npath: /offer?sort=price\n"
    project = load_project(write(tmp_path, text), manifests=["other.yaml"])
    assert (project.locustfile, project.path) == (locustfile, "/offer?sort=price")


def test_a_project_need_not_say_what_a_load_does(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, GOOD))
    assert (project.locustfile, project.path) == (None, "/")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: []\n", "meshproof.yaml:1: manifests: is missing; wanted a list"),
        ("manifests: m\n", 'meshproof.yaml:1: manifests: is the string "m"; wanted a list; '
         'begin each entry with "- "'),
        ("manifests: [m]\nimage: {}\n", "meshproof.yaml:2: image: is not a field of ProjectFile; "
         "did you mean images?"),
        ("manifests: [m]\nimages:\n  a: {comand: [x]}\n", "meshproof.yaml:3: images.a.comand: "
         "is not a field of ImageCommand; did you mean command?"),
        ("manifests: [m]\nimages:\n  a: {command: []}\n", "meshproof.yaml:3: images.a.command: "
         "is an empty list; wanted at least one entry"),
        ("manifests: [m]\nimages:\n  a:\n", "meshproof.yaml:3: images.a: is null; "
         "wanted a mapping"),
        ('manifests: [m]\nimages:\n  a: {command: [x, "{prt}"]}\n', "meshproof.yaml:3: "
         "images.a.command[1]: has an unknown placeholder {prt}; wanted {python}, {ip}, {port}, "
         "{socket}, {spans}, {dir}, {here}, {files}, {command}, or {{prt}} for the text itself"),
        ("manifests: [m]\nimages:\n  a: {command: [x], env: {A: 1}}\n", "meshproof.yaml:3: "
         'images.a.env.A: is the number 1; wanted a string; quote it: "1"'),
        ("manifests: [m]\nlocustfile: users.py\n", 'meshproof.yaml:2: locustfile: there is no file '
         '"users.py"; wanted the path of a locustfile, relative to this file'),
        ("manifests: [m]\nlocustfile: .\n", 'meshproof.yaml:2: locustfile: there is no file '
         '"."; wanted the path of a locustfile, relative to this file'),
        ("manifests: [m]\npath: pay\n", 'meshproof.yaml:2: path: is "pay"; wanted a path that '
         "begins with /"),
        ("- a\n", "meshproof.yaml:1: the document is not a mapping; wanted a mapping"),
        ("# nothing\n", "meshproof.yaml: holds no document; wanted a mapping"),
        ("manifests: [m]\n---\nrules: [r]\n", "meshproof.yaml:3: is a second document; wanted one"),
    ],
)  # fmt: skip
def test_a_project_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, text) == [message]


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ('{80: "10.0.0.1:80"}', "a.test.ports.80: 10.0.0.1 is beyond this machine, and test "
         "traffic never leaves it; wanted an address in 127.0.0.0/8"),
        ('{80: "localhost:80"}', 'a.test.ports.80: "localhost" is not an address; wanted a port of '
         'this machine, "127.x.y.z:port", or null for a command\'s own'),
        ("{80: no}", "a.test.ports.80: is no, which YAML reads as a boolean; wanted a port of "
         'this machine, "127.x.y.z:port", or null for a command\'s own'),
        ("{99999: 1}", "a.test.ports.99999: is not a port; wanted a port's number from 1 to 65535"),
        ('{80: "127.0.0.1:0"}', "a.test.ports.80: is not a port; "
         "wanted a port's number from 1 to 65535"),
        ("{80: null}", "a.test.ports.80: is null, but there is no command that could listen; "
         "wanted a port of this machine, or a command"),
        ("{}", "a.test.ports: is an empty mapping; wanted at least one entry"),
        ("{80: 1}, ready: /x", "a.test.ready: is for a command, and there is none; "
         "wanted a command"),
        ("{80: 1}, aliases: [A_]", 'a.test.aliases[0]: "A_" is not a host; wanted a lower-case '
         "DNS name or an address"),
        ("{80: 1}, command: [x], ready: x", 'a.test.ready: is "x"; wanted a path that begins '
         "with /"),
    ],
)  # fmt: skip
def test_an_outside_host_is_refused(tmp_path: Path, ports: str, message: str) -> None:
    text = f"manifests: [m]\noutside:\n  a.test: {{ports: {ports}}}\n"
    assert refused(tmp_path, text) == [f"meshproof.yaml:3: outside.{message}"]


def test_no_two_hosts_share_a_name_whatever_file_they_stand_in(tmp_path: Path) -> None:
    extra = write(tmp_path, "\nb.test: {ports: {80: 1}, aliases: [pay.test]}\n", "o.yaml")
    with pytest.raises(Refused) as caught:
        load_project(write(tmp_path, GOOD), outside=extra)
    assert [str(p) for p in caught.value.problems] == [
        f"{extra}:2: b.test: pay.test is also a name of pay.test; wanted different names"
    ]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    project = write(tmp_path, "manifests: 1\nimages: {a: {}}\n")
    outside = write(tmp_path, "A_: {ports: {80: 1}}\n", "o.yaml")
    with pytest.raises(Refused) as caught:
        load_project(project, images=tmp_path / "none.yaml", outside=outside)
    positions = [(Path(p.file).name, p.line, p.field) for p in caught.value.problems]
    assert sorted(positions) == [
        ("meshproof.yaml", 1, "manifests"),
        ("meshproof.yaml", 2, "images.a.command"),
        ("none.yaml", 0, ""),
        ("o.yaml", 1, "A_"),
    ]


def test_placeholders_are_replaced_and_braces_of_others_stay() -> None:
    command = ["{python}", "--bind={ip}:{port}", "{{port}}", '{"a": {}}']
    values = {"python": "/usr/bin/python3", "ip": "127.0.0.1", "port": "80"}
    assert expand(command, values) == [
        "/usr/bin/python3",
        "--bind=127.0.0.1:80",
        "{port}",
        '{"a": {}}',
    ]


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\{socket\} in 'unix:\{socket\}' has no value"):
        expand(["unix:{socket}"], {"ip": "127.0.0.1"})


def test_a_folder_with_braces_in_its_name_stays_itself(tmp_path: Path) -> None:
    folder = tmp_path / "{port}"
    folder.mkdir()
    images = write(folder, 'a: {command: ["{here}/run", "{port}"]}\n', "i.yaml")
    command = load_project(images=images).images["a"].command
    assert expand(command, {"port": "80"}) == [f"{folder}/run", "80"]
