"""Renders a first project file. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshproof.init.external_hosts import find_external_hosts
from meshproof.init.image_commands import Guess, guess_command
from meshproof.init.stand_ins import outside_command, stand_in_command
from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.resource import Resource
from meshproof.project import TODO

_HEAD = """\
# Written once by `meshproof init`; edit it freely. `meshproof check` names each TODO that is left.
#
# {{python}}: the Python that runs meshproof. {{ip}} and {{port}}, or {{socket}}: where to listen.
# {{dir}}: a folder of that process's own. {{files}}: where a container's volumes are mounted.
# {{here}}: this file's folder, in which processes start. {{command}}: the container's own command.
# A container's args follow the command.
manifests: {manifests}
"""
_IMAGES = "\n# How each container image runs as a local process.\nimages:\n"
_STAND_INS = """
# How each container image runs as a local process: as a stand-in, which answers 200 (or what a path
# such as /status/503 asks for) and says what it got. Put the app's own command where you have it.
images:
"""
_OUTSIDE = """
# Hosts outside the mesh: the port of this machine that stands for each port. Or start a stand-in:
# `ports: {{80: null}}` and `command: [PROGRAM, "{ip}:{port}"]`.
outside:
"""


@dataclass(frozen=True, slots=True)
class _ImageUse:
    """The containers of one image: apps, and those that run before or beside one."""

    apps: list[Container]
    companions: list[Container]
    titles: list[str]


def render_project_file(
    manifests: Iterable[str], resources: Sequence[Resource], *, stand_ins: bool = False
) -> str:
    """Render a project file for these manifests, with an entry for every image and outside host;
    ``stand_ins`` of meshproof for all of them, or guesses and TODOs."""
    text = _HEAD.format(manifests=json.dumps(list(manifests)))
    uses = _image_uses(resources)
    if uses:
        text += _IMAGES if not stand_ins else _STAND_INS
        for image, use in uses.items():
            guess = guess_command([*use.apps, *use.companions])
            if stand_ins and use.apps:
                guess = Guess(stand_in_command(image, resources))
            text += _render_image(image, use, guess)
    hosts = find_external_hosts(resources)
    if hosts:
        text += _OUTSIDE.replace("{{", "{").replace("}}", "}") + "".join(
            _render_hosts(hosts, stand_ins=stand_ins)
        )
    return text


def _image_uses(resources: Iterable[Resource]) -> dict[str, _ImageUse]:
    uses: dict[str, _ImageUse] = {}
    for resource in resources:
        if resource.kind not in WORKLOADS:
            continue
        pod = template_of(resource).spec
        first, *beside = pod.containers
        app_use = uses.setdefault(first.image, _ImageUse([], [], []))
        app_use.apps.append(first)
        app_use.titles.append(resource.title)
        for container in (*beside, *pod.init_containers):
            use = uses.setdefault(container.image, _ImageUse([], [], []))
            use.companions.append(container)
            use.titles.append(f"{container.name} of {resource.title}")
    return uses


def _render_image(image: str, use: _ImageUse, guess: Guess) -> str:
    titles = ", ".join(use.titles)
    lines = [f"  # {titles}"]
    if guess.todo:
        lines.append(f"  # {TODO}: {guess.todo}")
    entry = [f"  {_render_key(image)}:", f"    command: {_render_list(guess.command)}"]
    if guess.env:
        pairs = ", ".join(f"{_render_key(k)}: {json.dumps(v)}" for k, v in guess.env.items())
        entry.append(f"    env: {{{pairs}}}")
    if guess.commands:
        pairs = ", ".join(f'{_render_key(program)}: ["{TODO}"]' for program in guess.commands)
        entry.append(f"    commands: {{{pairs}}}")
    if any(map(_runs_a_probe, (*use.apps, *use.companions))):
        entry.append("    execProbes: false  # its probes run commands of the image")
    if not use.apps:
        lines.append("  # It runs before or beside an app; without an entry it is left out.")
        entry = [f"  # {line}" for line in entry]
    return "\n".join([*lines, *entry]) + "\n"


def _runs_a_probe(container: Container) -> bool:
    probes = (container.readiness_probe, container.liveness_probe, container.startup_probe)
    return any(probe is not None and probe.exec is not None for probe in probes)


def _render_hosts(hosts: Mapping[str, tuple[list[int], str]], *, stand_ins: bool) -> Iterator[str]:
    for host, (ports, title) in hosts.items():
        yield f"  # {title}\n"
        if "*" in host:
            yield f"  # {host}: declare each host below it that is called, by its own name.\n"
            continue
        if stand_ins and len(ports) == 1:
            yield f"  {_render_key(host)}:\n    ports: {{{ports[0]}: null}}\n"
            yield f"    command: {_render_list(outside_command())}\n"
            continue
        pairs = ", ".join(f"{port}: {TODO}" for port in sorted(ports))
        yield f"  {_render_key(host)}: {{ports: {{{pairs}}}}}\n"


def _render_list(arguments: Iterable[str]) -> str:
    return json.dumps(list(arguments), ensure_ascii=False)


def _render_key(name: str) -> str:
    """A YAML key, quoted if it could be read as something else."""
    return name if re.fullmatch(r"[A-Za-z][\w./@-]*(:[\w./@-]+)*", name) else json.dumps(name)
