"""How a container's image may run as a local process, as far as its manifest tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from meshproof.model.kube_pod import Container
from meshproof.placeholders import OWN_COMMAND
from meshproof.project import TODO

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_MODULES = ("gunicorn", "uvicorn", "hypercorn", "flask", "waitress-serve")
"""Programs of Python packages, which `{python} -m NAME` finds beside meshproof."""
_EVERYWHERE = r"(?:0\.0\.0\.0|\[::\]|::|\*)"
_HOST_FLAGS = ("--host", "-h", "--address", "--ip", "--listen-address")
_PORT_FLAGS = ("--port", "-p", "--listen-port")
_PORT_NAMES = re.compile(r"(?:HTTP_|LISTEN_|SERVER_|APP_|WEB_)?PORT")
_HOST_NAMES = re.compile(r"(?:HTTP_|LISTEN_|SERVER_|APP_|WEB_|BIND_)?(?:HOST|ADDRESS|ADDR|IP|BIND)")


@dataclass(frozen=True, slots=True)
class Guess:
    """An entry of the image table; ``todo`` says what is not known, or is empty."""

    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    todo: str = ""
    commands: tuple[str, ...] = ()
    """First words of containers' own commands that want a stand-in."""


def guess(containers: Sequence[Container]) -> Guess:
    """For an image that these containers run: at least one."""
    commands = {tuple(c.command) for c in containers}
    ports = sorted({p.container_port for c in containers for p in c.ports if p.protocol == "TCP"})
    first = containers[0]
    if not first.command and len(commands) == 1:
        return _unknown(first, ports)
    if len(commands) > 1:
        return _several(first, ports, commands)
    env = _environment(first, ports)
    words = _listening(_program(first.command), ports)
    if words == (*map(_literal, first.command),):
        words = (OWN_COMMAND,)
    if not ports or any("{ip}" in word for word in (*words, *env.values())):
        return Guess(words, env)
    return Guess((TODO, *words), env, f"say where it listens ({_served(ports)})")


def _unknown(container: Container, ports: Sequence[int]) -> Guess:
    env = _environment(container, ports)
    told = any("{ip}" in value for value in env.values())
    served = f", listening at {_served(ports)}" if ports and not told else ""
    follows = f"; its args follow: {' '.join(container.args)}" if container.args else ""
    where = ("{ip}:{port}",) if served else ()
    return Guess((TODO, *where), env, f"say what program it is{served}{follows}")


def _several(
    container: Container, ports: Sequence[int], commands: Iterable[tuple[str, ...]]
) -> Guess:
    """One image, and a command of its own in each manifest."""
    env = _environment(container, ports)
    if not all(commands):
        words = tuple(sorted({command[0] for command in commands if command}))
        unknown = _unknown(container, ports)
        said = f"{unknown.todo}; `commands` is for containers with a command of their own"
        return Guess(unknown.command, env, said, words)
    if ports and not any("{ip}" in value for value in env.values()):
        return Guess((TODO, OWN_COMMAND), env, f"say in env where it listens ({_served(ports)})")
    return Guess((OWN_COMMAND,), env)


def _served(ports: Sequence[int]) -> str:
    return "{ip}:{port}, or {socket}; it serves " + ", ".join(map(str, ports))


def _program(command: Sequence[str]) -> list[str]:
    name = PurePosixPath(command[0]).name
    if _PYTHON.fullmatch(name):
        return ["{python}", *map(_literal, command[1:])]
    if name in _MODULES:
        return ["{python}", "-m", name, *map(_literal, command[1:])]
    return [*map(_literal, command)]


def _literal(word: str) -> str:
    """A word in which ``{name}`` is no placeholder."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", word)


def _listening(words: Sequence[str], ports: Sequence[int]) -> tuple[str, ...]:
    """``--bind 0.0.0.0:8080`` as ``--bind {ip}:{port}``: where our first port is meant."""
    if not ports:
        return tuple(words)
    port = ports[0]
    made: list[str] = []
    for word in words:
        flag = made[-1] if made else ""
        if flag in _HOST_FLAGS and re.fullmatch(_EVERYWHERE, word):
            made.append("{ip}")
        elif flag in _PORT_FLAGS and word == str(port):
            made.append("{port}")
        else:
            made.append(_in_word(word, port))
    return tuple(made)


def _in_word(word: str, port: int) -> str:
    hosts, numbers = "|".join(_HOST_FLAGS), "|".join(_PORT_FLAGS)
    word = re.sub(rf"^((?:{hosts})=){_EVERYWHERE}$", r"\1{ip}", word)
    word = re.sub(rf"^((?:{numbers})=){port}$", r"\1{port}", word)
    return re.sub(rf"(?<![\w.\]]){_EVERYWHERE}?:{port}$", "{ip}:{port}", word)


def _environment(container: Container, ports: Sequence[int]) -> dict[str, str]:
    """Variables that say where it listens, in the image table's words."""
    if not ports:
        return {}
    found = {}
    for variable in container.env:
        value, port = variable.value, str(ports[0])
        if _PORT_NAMES.fullmatch(variable.name) and value == port:
            found[variable.name] = "{port}"
        elif _HOST_NAMES.fullmatch(variable.name) and re.fullmatch(_EVERYWHERE, value):
            found[variable.name] = "{ip}"
        elif re.fullmatch(rf"{_EVERYWHERE}?:{port}", value):
            found[variable.name] = "{ip}:{port}"
    return found
