"""How a container's image may run as a local process, as far as its manifest shows. Pure."""

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
"""Programs of Python packages, which `{python} -m NAME` finds in meshproof's environment."""
_EVERYWHERE = r"(?:0\.0\.0\.0|\[::\]|::|\*)"
_HOST_FLAGS = ("--host", "-h", "--address", "--ip", "--listen-address")
_PORT_FLAGS = ("--port", "-p", "--listen-port")
_PORT_NAMES = re.compile(r"(?:HTTP_|LISTEN_|SERVER_|APP_|WEB_)?PORT")
_HOST_NAMES = re.compile(r"(?:HTTP_|LISTEN_|SERVER_|APP_|WEB_|BIND_)?(?:HOST|ADDRESS|ADDR|IP|BIND)")


@dataclass(frozen=True, slots=True)
class Guess:
    """An entry of the image table; ``todo`` says what is unknown, or is empty."""

    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    todo: str = ""
    commands: tuple[str, ...] = ()
    """Programs of containers' own commands that need a replacement."""


def guess_command(containers: Sequence[Container]) -> Guess:
    """Guess the command of an image that these containers (at least one) run."""
    commands = {tuple(c.command) for c in containers}
    ports = sorted({p.container_port for c in containers for p in c.ports if p.protocol == "TCP"})
    first = containers[0]
    if not first.command and len(commands) == 1:
        return _guess_unknown(first, ports)
    if len(commands) > 1:
        return _guess_several(first, ports, commands)
    env = _guess_environment(first, ports)
    command = _fill_in_address(_guess_program(first.command), ports)
    if command == (*map(_escape, first.command),):
        command = (OWN_COMMAND,)
    if not ports or any("{ip}" in text for text in (*command, *env.values())):
        return Guess(command, env)
    return Guess((TODO, *command), env, f"say where it listens ({_describe_ports(ports)})")


def _guess_unknown(container: Container, ports: Sequence[int]) -> Guess:
    env = _guess_environment(container, ports)
    has_address = any("{ip}" in value for value in env.values())
    listening = f", listening at {_describe_ports(ports)}" if ports and not has_address else ""
    follows = f"; its args follow: {' '.join(container.args)}" if container.args else ""
    address = ("{ip}:{port}",) if listening else ()
    return Guess((TODO, *address), env, f"say what program it is{listening}{follows}")


def _guess_several(
    container: Container, ports: Sequence[int], commands: Iterable[tuple[str, ...]]
) -> Guess:
    """One image that has a command of its own in each manifest."""
    env = _guess_environment(container, ports)
    if not all(commands):
        programs = tuple(sorted({command[0] for command in commands if command}))
        unknown = _guess_unknown(container, ports)
        todo = f"{unknown.todo}; `commands` is for containers with a command of their own"
        return Guess(unknown.command, env, todo, programs)
    if ports and not any("{ip}" in value for value in env.values()):
        return Guess(
            (TODO, OWN_COMMAND), env, f"say in env where it listens ({_describe_ports(ports)})"
        )
    return Guess((OWN_COMMAND,), env)


def _describe_ports(ports: Sequence[int]) -> str:
    return "{ip}:{port}, or {socket}; it serves " + ", ".join(map(str, ports))


def _guess_program(command: Sequence[str]) -> list[str]:
    name = PurePosixPath(command[0]).name
    if _PYTHON.fullmatch(name):
        return ["{python}", *map(_escape, command[1:])]
    if name in _MODULES:
        return ["{python}", "-m", name, *map(_escape, command[1:])]
    return [*map(_escape, command)]


def _escape(argument: str) -> str:
    """An argument in which ``{name}`` is literal."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", argument)


def _fill_in_address(command: Sequence[str], ports: Sequence[int]) -> tuple[str, ...]:
    """Turn ``--bind 0.0.0.0:8080`` into ``--bind {ip}:{port}`` where it names the first port."""
    if not ports:
        return tuple(command)
    port = ports[0]
    result: list[str] = []
    for argument in command:
        flag = result[-1] if result else ""
        if flag in _HOST_FLAGS and re.fullmatch(_EVERYWHERE, argument):
            result.append("{ip}")
        elif flag in _PORT_FLAGS and argument == str(port):
            result.append("{port}")
        else:
            result.append(_fill_in_argument(argument, port))
    return tuple(result)


def _fill_in_argument(argument: str, port: int) -> str:
    hosts, numbers = "|".join(_HOST_FLAGS), "|".join(_PORT_FLAGS)
    argument = re.sub(rf"^((?:{hosts})=){_EVERYWHERE}$", r"\1{ip}", argument)
    argument = re.sub(rf"^((?:{numbers})=){port}$", r"\1{port}", argument)
    return re.sub(rf"(?<![\w.\]]){_EVERYWHERE}?:{port}$", "{ip}:{port}", argument)


def _guess_environment(container: Container, ports: Sequence[int]) -> dict[str, str]:
    """The variables that hold the address, with placeholders."""
    if not ports:
        return {}
    env = {}
    for variable in container.env:
        value, port = variable.value, str(ports[0])
        if _PORT_NAMES.fullmatch(variable.name) and value == port:
            env[variable.name] = "{port}"
        elif _HOST_NAMES.fullmatch(variable.name) and re.fullmatch(_EVERYWHERE, value):
            env[variable.name] = "{ip}"
        elif re.fullmatch(rf"{_EVERYWHERE}?:{port}", value):
            env[variable.name] = "{ip}:{port}"
    return env
