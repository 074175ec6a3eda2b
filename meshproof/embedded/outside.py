"""The world outside the mesh: declared hosts, the processes that we start for them, addresses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time

from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.workload import Probe
from meshproof.embedded.process_names import outside_process
from meshproof.errors import MeshproofError
from meshproof.host.addresses import real_port
from meshproof.host.backoff import Backoff
from meshproof.host.process_spec import Exit, ProcessSpec
from meshproof.project import OutsideHost, RealAddress, expand
from meshproof.translate.world import Address, Outside

_READY_LIMIT = 30.0
_log = logging.getLogger("meshproof")


class OutsideRunner:
    """One declared host. Without a command it is somebody else's, and only has addresses."""

    def __init__(self, runtime: MeshContext, host: str, declared: OutsideHost, index: int) -> None:
        self.runtime, self.host, self.declared = runtime, host, declared
        self.name = outside_process(host)
        self.ip = runtime.block.outside(index)
        self._exit: asyncio.Future[Exit] | None = None
        self.restarts = 0
        self._backoff = Backoff()
        self.addresses = {port: self._address(port, to) for port, to in declared.ports.items()}

    def _address(self, port: int, to: RealAddress | None) -> Address:
        if to is None:
            return Address(ip=self.ip, port=real_port(self.ip, port))
        return Address(ip=to.ip, port=to.port)

    def hosts(self) -> list[Outside]:
        """Under its name and under every alias."""
        return [Outside(name, self.addresses) for name in (self.host, *self.declared.aliases)]

    def url(self) -> str:
        address = next(iter(self.addresses.values()))
        return f"http://{address.ip}:{address.port}"

    async def start(self) -> None:
        """Start its process, if it has a command, and return when it accepts connections."""
        if not self.declared.command:
            return
        await self._spawn()
        assert self._exit is not None
        address = next(iter(self.addresses.values()))
        try:
            async with asyncio.timeout(_READY_LIMIT):
                while await self._not_ready(address):
                    if self._exit.done():
                        raise self._failed(f"ended with code {self._exit.result().code}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self._failed(f"did not listen within {_READY_LIMIT:g} s") from None

    async def _not_ready(self, address: Address) -> str:
        path = self.declared.ready
        if path is None:
            return await probes.accepts(address, 1.0)
        return await probes.check(Probe(kind="http", path=path), address, {})

    def _failed(self, how: str) -> MeshproofError:
        log = last_lines(self.runtime.files.app_log(self.name))
        return MeshproofError(f"the outside host {self.host} {how}; its last lines:\n{log}")

    async def _spawn(self) -> None:
        self._exit = asyncio.get_running_loop().create_future()
        address = next(iter(self.addresses.values()))
        values = {
            "python": sys.executable,
            "ip": address.ip,
            "port": str(address.port),
            "dir": str(self.runtime.files.private(self.name)),
            "socket": "",
        }
        await self.runtime.supervisor.spawn(
            ProcessSpec(
                name=self.name,
                argv=expand(self.declared.command or (), values),
                env={
                    **self.runtime.base_env,
                    **{k: expand([v], values)[0] for k, v in self.declared.env.items()},
                },
                cwd=str(self.runtime.project.root),
                log=str(self.runtime.files.app_log(self.name)),
            )
        )

    def exited(self, exit_: Exit) -> None:
        """An outside host that dies comes back: it is no part of what is proved."""
        if self._exit is not None and not self._exit.done():
            self._exit.set_result(exit_)

    async def keep(self) -> None:
        """Restart it whenever it ends, until cancelled. Its address and folder stay."""
        while self._exit is not None:
            await asyncio.shield(self._exit)
            await self._again()

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(self._backoff.delay(time.monotonic()))
            self.restarts += 1
            try:
                return await self._spawn()
            except MeshproofError as error:
                _log.warning("the outside host %s did not start again: %s", self.host, error)

    async def stop(self) -> None:
        if self.declared.command:
            with contextlib.suppress(MeshproofError):  # it may have ended by itself
                await self.runtime.supervisor.stop(self.name, grace=2.0)
