"""How an image may run here: what a manifest tells, and TODO for what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.init.image_commands import guess_command
from meshproof.model.kube_pod import Container

P = [{"containerPort": 8080}]


def container(**said: Any) -> Container:
    return Container.model_validate({"name": "c", "image": "i", **said})


@pytest.mark.parametrize(
    ("said", "command", "env"),
    [
        ({"command": ["python3", "app.py", "--bind", "0.0.0.0:8080"], "ports": P},
         ("{python}", "app.py", "--bind", "{ip}:{port}"), {}),
        ({"command": ["/usr/bin/gunicorn", "-b", ":8080", "a:b"], "ports": P},
         ("{python}", "-m", "gunicorn", "-b", "{ip}:{port}", "a:b"), {}),
        ({"command": ["uvicorn", "a:b", "--host=0.0.0.0", "--port", "8080"], "ports": P},
         ("{python}", "-m", "uvicorn", "a:b", "--host={ip}", "--port", "{port}"), {}),
        ({"command": ["node", "s.js"], "ports": P, "env": [
            {"name": "PORT", "value": "8080"}, {"name": "HOST", "value": "0.0.0.0"},
            {"name": "DB_PORT", "value": "8080"}]},
         ("{command}",), {"PORT": "{port}", "HOST": "{ip}"}),
        ({"command": ["web"], "ports": P, "env": [{"name": "LISTEN", "value": "[::]:8080"}]},
         ("{command}",), {"LISTEN": "{ip}:{port}"}),
        ({"command": ["sh", "-c", "work"]}, ("{command}",), {}),
        ({"command": ["python", "-c", "print('{ip}')"]}, ("{python}", "-c", "print('{{ip}}')"), {}),
    ],
)  # fmt: skip
def test_what_a_command_tells(
    said: dict[str, Any], command: tuple[str, ...], env: dict[str, str]
) -> None:
    made = guess_command([container(**said)])
    assert (made.command, made.env, made.todo) == (command, env, "")


@pytest.mark.parametrize(
    ("said", "command", "todo"),
    [
        ({"ports": P}, ("TODO", "{ip}:{port}"), "say what program it is, listening at"),
        ({}, ("TODO",), "say what program it is"),
        ({"args": ["-v", "x"]}, ("TODO",), "its args follow: -v x"),
        ({"command": ["web", "--remote", "0.0.0.0:9090"], "ports": P}, ("TODO", "{command}"),
         "it serves 8080"),
        ({"command": ["web"], "ports": P, "env": [{"name": "PORT", "value": "8080"}]},
         ("TODO", "{command}"), "say where it listens"),
    ],
)  # fmt: skip
def test_what_it_does_not_tell(said: dict[str, Any], command: tuple[str, ...], todo: str) -> None:
    made = guess_command([container(**said)])
    assert made.command == command
    assert todo in made.todo


def test_one_image_with_several_commands_runs_each_its_own() -> None:
    workers = [container(command=["a"]), container(command=["b"])]
    assert guess_command(workers).command == ("{command}",)
    mixed = guess_command([*workers, container()])
    assert (mixed.command, mixed.commands) == (("TODO",), ("a", "b"))
