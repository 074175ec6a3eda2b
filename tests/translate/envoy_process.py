"""Real Envoys with a static configuration, and servers behind them; all on loopback."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from meshproof.translate.world import PROBE_PORT, Address, Replica

START = 300.0
"""Seconds an Envoy may take until its probe listener answers."""


def loopback_prefix() -> str:
    """The first three octets of loopback addresses that only this run uses."""
    return f"127.{64 + os.getpid() % 128}.{random.randrange(256)}"


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({k.lower(): v for k, v in self.headers.items()}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_: object) -> None:
        """Silent."""


def serve_echo(stack: ExitStack, ip: str) -> Address:
    server = ThreadingHTTPServer((ip, 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return Address(ip, server.server_address[1])


def start_envoy(
    stack: ExitStack, envoy: Path, folder: Path, me: Replica, config: dict[str, Any]
) -> None:
    """Start the Envoy of ``me`` with its files in ``folder``; return when it answers."""
    path = folder / "envoy.json"
    path.write_text(json.dumps(config))
    quiet = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "error")
    process = subprocess.Popen([str(envoy), "-c", str(path), *quiet])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    limit = time.monotonic() + START
    while process.poll() is None and time.monotonic() < limit:
        try:
            if get(me.ip, PROBE_PORT, "/")[0] == 200:
                return
        except OSError:
            time.sleep(0.01)  # until it listens
    pytest.fail(f"the Envoy of {me.name} did not answer (exit code {process.poll()})")


def get(ip: str, port: int, target: str, host: str = "x") -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(ip, port, timeout=300)
    try:
        connection.request("GET", target, headers={"Host": host, "X-Run-Id": "r"})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("location", "")
    finally:
        connection.close()
