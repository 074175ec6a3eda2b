"""One Envoy of the mesh: its process, its stream, its admin socket; restarted when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping

from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.local_http import LocalClient
from meshproof.embedded.pod import envoy_binary
from meshproof.embedded.process_names import envoy_process
from meshproof.errors import MeshproofError
from meshproof.host import private_files, sockets
from meshproof.host.process_spec import ProcessSpec
from meshproof.translate import build_bootstrap
from meshproof.translate.world import PROBE_PORT, PROXY_PORT, Address
from meshproof.xds.envoy_client import EnvoyClient, NackError

FIXED_PORTS = (PROXY_PORT, PROBE_PORT)
START_LIMIT = 30.0
"""Seconds an Envoy may take from its start to its first complete configuration."""


class EnvoyProcess:
    """``node`` names the process, its files and its ADS stream."""

    def __init__(
        self,
        runtime: MeshContext,
        node: str,
        *,
        slot: int,
        ip: str,
        service: str,
        metadata: Mapping[str, object],
    ) -> None:
        self.runtime, self.node, self.slot, self.ip = runtime, node, slot, ip
        self.service = service
        self.process = envoy_process(node)
        self.restarts = 0
        self.client: EnvoyClient = runtime.ads.register(node)
        files = runtime.files
        self._metadata = dict(metadata)
        self._admin = LocalClient(Address(path=str(files.admin(slot))))
        self._probe = LocalClient(Address(ip=ip, port=PROBE_PORT))
        self._exited = asyncio.Event()

    async def start(self) -> None:
        """Start the process; ``ready`` says when it serves.

        Raises MeshproofError where a port that its listeners must have is taken.
        """
        files = self.runtime.files
        sockets.require_free(self.ip, FIXED_PORTS)
        config = build_bootstrap(
            node_id=self.node,
            cluster=self.service,
            metadata=self._metadata,
            xds_socket=str(files.xds),
            zipkin_socket=str(files.zipkin),
            admin_socket=str(files.admin(self.slot)),
        )
        path = files.bootstrap(self.node)
        private_files.write(path, json.dumps(config))
        files.admin(self.slot).unlink(missing_ok=True)
        self._exited.clear()
        await self.runtime.supervisor.spawn(
            ProcessSpec(
                name=self.process,
                argv=envoy_binary.command(path, files.envoy_log(self.node)),
                env=dict(self.runtime.base_env),
                cwd=str(files.root),
                log=str(files.envoy_log(self.node)),
                sidecar=True,
            )
        )

    def exited(self) -> None:
        """The supervisor's word that this Envoy ended."""
        self._exited.set()

    async def ready(self) -> None:
        """Return when the first configuration is acknowledged and its listeners answer.

        Raises MeshproofError with Envoy's last lines when it ends or refuses before that.
        """
        exited = asyncio.create_task(self._exited.wait())
        serving = asyncio.create_task(self._serving())
        try:
            done, _ = await asyncio.wait(
                {exited, serving}, timeout=START_LIMIT, return_when=asyncio.FIRST_COMPLETED
            )
            if serving in done:
                try:
                    serving.result()
                except NackError as error:
                    raise MeshproofError(str(error)) from None
                return
            reason = "ended" if exited in done else f"did not serve within {START_LIMIT:g} s"
            raise MeshproofError(
                f"the Envoy of {self.node} {reason}; its last lines:\n"
                + last_lines(self.runtime.files.envoy_log(self.node))
            )
        finally:
            for task in (exited, serving):
                task.cancel()
            await asyncio.wait((exited, serving))

    async def _serving(self) -> None:
        await self.client.wait_initialised()
        while True:
            try:
                status, _ = await self._probe.get("/ready", timeout=1.0)
                if status == 200:
                    return
            except (OSError, TimeoutError):
                pass
            await asyncio.sleep(0.01)  # a listener warms right after its ACK; nothing tells when

    async def mark(self, text: str) -> None:
        """Write a line with ``text`` in its path to the access log, after all earlier ones.

        Raises MeshproofError when this Envoy does not answer.
        """
        try:
            await self._probe.get(f"/marker/{text}")
        except (OSError, TimeoutError) as error:
            raise self._no_answer(error) from None

    async def admin(self, path: str) -> bytes:
        """The answer of Envoy's admin interface. Raises MeshproofError when it has none."""
        try:
            status, body = await self._admin.get(path)
        except (OSError, TimeoutError) as error:
            raise self._no_answer(error) from None
        if status != 200:
            raise MeshproofError(f"the Envoy of {self.node}: {path}: HTTP {status}")
        return body

    def _no_answer(self, error: Exception) -> MeshproofError:
        why = str(error) or "no answer in time; is it paused, or starting again?"
        return MeshproofError(f"the Envoy of {self.node} does not answer: {why}")

    async def stats(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose name matches a regular expression."""
        body = await self.admin(f"/stats?format=json&filter={pattern}")
        return {
            entry["name"]: entry["value"]
            for entry in json.loads(body)["stats"]
            if "name" in entry and isinstance(entry.get("value"), int)
        }

    async def stop(self) -> None:
        """End the process and forget the stream."""
        self.runtime.ads.forget(self.node)
        await self.end_process()
        await self.close()

    async def end_process(self) -> None:
        """End it, if it runs."""
        with contextlib.suppress(MeshproofError):  # it may have ended by itself
            await self.runtime.supervisor.stop(self.process, grace=1.0)

    async def close(self) -> None:
        await self._admin.close()
        await self._probe.close()
