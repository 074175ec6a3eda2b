"""The text of a first project file. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshproof.init.external_hosts import beyond
from meshproof.init.guess import guess
from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.resource import Resource
from meshproof.project import TODO

_HEAD = """\
# Written by `meshproof init`; yours from now on. `meshproof check` names each TODO that is left.
#
# {{python}}: the Python that runs meshproof. {{ip}} and {{port}}, or {{socket}}: where to listen.
# {{dir}}: a folder of that process alone. {{files}}: where a container's volumes are mounted.
# {{here}}: this file's folder, in which processes start. {{command}}: the container's own command.
# A container's args follow the command.
manifests: {manifests}
"""
_IMAGES = "\n# What each container image is as a local process.\nimages:\n"
_OUTSIDE = """
# Hosts beyond the mesh: where each port really is, a port of this machine. A stand-in may be
# started instead: `ports: {{80: null}}` and `command: [PROGRAM, "{ip}:{port}"]`.
outside:
"""


@dataclass(frozen=True, slots=True)
class _Use:
    """Containers of one image: apps, and those that run before or beside one."""

    apps: list[Container]
    others: list[Container]
    who: list[str]


def project_file(manifests: Iterable[str], resources: Sequence[Resource]) -> str:
    """A project file for these manifests, with an entry for every image and outside host."""
    text = _HEAD.format(manifests=json.dumps(list(manifests)))
    uses = _uses(resources)
    if uses:
        text += _IMAGES + "".join(_image(image, use) for image, use in uses.items())
    hosts = beyond(resources)
    if hosts:
        text += _OUTSIDE.replace("{{", "{").replace("}}", "}") + "".join(_hosts(hosts))
    return text


def _uses(resources: Iterable[Resource]) -> dict[str, _Use]:
    found: dict[str, _Use] = {}
    for resource in resources:
        if resource.kind not in WORKLOADS:
            continue
        pod = template_of(resource).spec
        first, *beside = pod.containers
        own = found.setdefault(first.image, _Use([], [], []))
        own.apps.append(first)
        own.who.append(resource.title)
        for container in (*beside, *pod.init_containers):
            use = found.setdefault(container.image, _Use([], [], []))
            use.others.append(container)
            use.who.append(f"{container.name} of {resource.title}")
    return found


def _image(image: str, use: _Use) -> str:
    made = guess([*use.apps, *use.others])
    who = ", ".join(use.who)
    lines = [f"  # {who}"]
    if made.todo:
        lines.append(f"  # {TODO}: {made.todo}")
    entry = [f"  {_key(image)}:", f"    command: {_flow(made.command)}"]
    if made.env:
        pairs = ", ".join(f"{_key(k)}: {json.dumps(v)}" for k, v in made.env.items())
        entry.append(f"    env: {{{pairs}}}")
    if made.commands:
        pairs = ", ".join(f'{_key(word)}: ["{TODO}"]' for word in made.commands)
        entry.append(f"    commands: {{{pairs}}}")
    if any(map(_runs_a_probe, (*use.apps, *use.others))):
        entry.append("    execProbes: false  # its probes run commands of the image")
    if not use.apps:
        lines.append("  # It runs before or beside an app; without an entry it is left out.")
        entry = [f"  # {line}" for line in entry]
    return "\n".join([*lines, *entry]) + "\n"


def _runs_a_probe(container: Container) -> bool:
    probes = (container.readiness_probe, container.liveness_probe, container.startup_probe)
    return any(probe is not None and probe.exec is not None for probe in probes)


def _hosts(hosts: Mapping[str, tuple[list[int], str]]) -> Iterator[str]:
    for host, (ports, where) in hosts.items():
        yield f"  # {where}\n"
        if "*" in host:
            yield f"  # {host}: declare each host below it that is called, by its own name.\n"
            continue
        pairs = ", ".join(f"{port}: {TODO}" for port in sorted(ports))
        yield f"  {_key(host)}: {{ports: {{{pairs}}}}}\n"


def _flow(words: Iterable[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False)


def _key(name: str) -> str:
    """A text as YAML's key, quoted where it could be something else."""
    return name if re.fullmatch(r"[A-Za-z][\w./@-]*(:[\w./@-]+)*", name) else json.dumps(name)
