"""How an image may run here: what a manifest tells, and TODO for what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.init.image_commands import guess_command
from meshproof.model.kube_pod import Container

P = [{"containerPort": 8080}]


def container(**fields: Any) -> Container:
    return Container.model_validate({"name": "c", "image": "i", **fields})


@pytest.mark.parametrize(
    ("fields", "command", "env"),
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
def test_what_a_command_shows(
    fields: dict[str, Any], command: tuple[str, ...], env: dict[str, str]
) -> None:
    guess = guess_command([container(**fields)])
    assert (guess.command, guess.env, guess.todo) == (command, env, "")


@pytest.mark.parametrize(
    ("fields", "command", "todo"),
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
def test_what_a_command_does_not_show(
    fields: dict[str, Any], command: tuple[str, ...], todo: str
) -> None:
    guess = guess_command([container(**fields)])
    assert guess.command == command
    assert todo in guess.todo


def test_one_image_with_several_commands_runs_each_its_own() -> None:
    workers = [container(command=["a"]), container(command=["b"])]
    assert guess_command(workers).command == ("{command}",)
    mixed = guess_command([*workers, container()])
    assert (mixed.command, mixed.commands) == (("TODO",), ("a", "b"))
