"""Hosts outside the mesh: their addresses, and the processes that the mesh starts for them."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time

from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.workload import Probe
from meshproof.embedded.process_names import outside_process
from meshproof.errors import MeshproofError, Unsupported
from meshproof.host.addresses import real_port
from meshproof.host.backoff import Backoff
from meshproof.host.process_spec import Exit, ProcessSpec
from meshproof.project import OutsideHost, RealAddress, expand
from meshproof.translate.world import Address, Outside
from meshproof.wait import DeadlineExceeded, until_async

_READY_LIMIT = 120.0
_log = logging.getLogger("meshproof")


class OutsideRunner:
    """One declared host. Without a command the mesh does not start it, and only has its addresses.
    ``index`` is that of its declaration."""

    def __init__(self, context: MeshContext, host: str, declared: OutsideHost, index: int) -> None:
        self._context, self.host, self.declared = context, host, declared
        self.process = outside_process(host)
        self._index, self._ip = index, context.block.outside(index)
        self._exit: asyncio.Future[Exit] | None = None
        self._backoff = Backoff()
        self.addresses = {port: self._address(port, to) for port, to in declared.ports.items()}

    def _address(self, port: int, to: RealAddress | None) -> Address:
        if to is None:
            return Address(ip=self._ip, port=real_port(self._ip, port))
        return Address(ip=to.ip, port=to.port)

    @property
    def address(self) -> Address:
        """Of its first port."""
        return next(iter(self.addresses.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Its host name and every alias."""
        return (self.host, *self.declared.aliases)

    def hosts(self) -> list[Outside]:
        """Under each of its names."""
        pipes: dict[int, str] = {}
        if self._context.sandboxes.enabled:
            paths = self._context.paths
            pipes = {port: str(paths.way_out(self._index, port)) for port in self.addresses}
        return [Outside(name, self.addresses, pipes) for name in self.names]

    def url(self) -> str:
        return f"http://{self.address.ip}:{self.address.port}"

    async def start(self) -> None:
        """Start its process, if it has a command, and return when it accepts connections."""
        if not self.declared.command:
            return
        await self._spawn()
        try:
            await until_async(
                self._check_ready, f"waiting for {self.host} to listen", within=_READY_LIMIT
            )
        except DeadlineExceeded:
            raise self._failed(f"did not listen within {_READY_LIMIT:g} s") from None

    async def _check_ready(self) -> str:
        """Raises MeshproofError where its process has ended."""
        reason = await self._check()
        if reason and self._exit is not None and self._exit.done():
            raise self._failed(f"ended with code {self._exit.result().code}")
        return reason

    async def _check(self) -> str:
        path = self.declared.ready
        if path is None:
            return await probes.check_listener(self.address, 1.0)
        return await probes.check(Probe(kind="http", path=path), self.address, {})

    def _failed(self, how: str) -> MeshproofError:
        lines = last_lines(self._context.paths.app_log(self.process))
        return MeshproofError(f"the outside host {self.host} {how}; its last lines:\n{lines}")

    async def _spawn(self) -> None:
        self._exit = asyncio.get_running_loop().create_future()
        values = {
            "python": sys.executable,
            "ip": self.address.ip,
            "port": str(self.address.port),
            "dir": str(self._context.paths.private(self.process)),
            "socket": "",
        }
        await self._context.supervisor.spawn(
            ProcessSpec(
                name=self.process,
                argv=expand(self.declared.command or (), values),
                env={
                    **self._context.base_env,
                    **{k: expand([v], values)[0] for k, v in self.declared.env.items()},
                },
                cwd=str(self._context.project.root),
                log=str(self._context.paths.app_log(self.process)),
            )
        )

    def on_exit(self, exit_: Exit) -> None:
        if self._exit is not None and not self._exit.done():
            self._exit.set_result(exit_)

    async def keep_running(self) -> None:
        """Restart it whenever it ends, until cancelled: it is not part of what is tested. Its
        address and its folder stay the same."""
        while self._exit is not None:
            await asyncio.shield(self._exit)
            await self._restart()

    async def _restart(self) -> None:
        while True:
            await asyncio.sleep(self._backoff.delay(time.monotonic()))
            try:
                return await self._spawn()
            except MeshproofError as error:
                _log.warning("the outside host %s did not start again: %s", self.host, error)

    def signal(self, number: signal.Signals) -> None:
        """A fault. Raises Unsupported for a host that this mesh does not start."""
        if not self.declared.command:
            raise Unsupported(
                f"fault: {self.host} is not started by this mesh, which can only cut it off"
            )
        self._context.supervisor.signal(self.process, number)
