"""One Envoy of the mesh: its process, its ADS client, its admin socket."""

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
from meshproof.model.pod_network import MESH_NAMESPACE
from meshproof.translate.bootstrap import build_bootstrap
from meshproof.translate.world import PROBE_PORT, PROXY_PORT, Address
from meshproof.xds.envoy_client import EnvoyClient, NackError

FIXED_PORTS = (PROXY_PORT, PROBE_PORT)
START_LIMIT = 120.0
"""Seconds an Envoy may take from its start to its first complete configuration."""
ANSWER_LIMIT = 60.0
"""Seconds it may take to answer its admin interface; on a busy machine that was more than 5."""


class EnvoyProcess:
    """``node`` names the process, its files and its ADS stream; ``service`` (``<app>.<namespace>``)
    names the service in traces; ``metadata`` is the node's, ``pod`` the sandbox that it runs in, if
    any; one that is ``transparent`` calls from others' addresses there."""

    def __init__(
        self,
        context: MeshContext,
        node: str,
        *,
        slot: int,
        ip: str,
        service: str,
        metadata: Mapping[str, object],
        pod: str = "",
        transparent: bool = False,
    ) -> None:
        self._context, self.node, self._slot, self._ip = context, node, slot, ip
        self._service, self._pod, self._transparent = service, pod, transparent
        self.process = envoy_process(node)
        self.client: EnvoyClient = context.ads.register(node)
        paths = context.paths
        self._metadata = dict(metadata)
        self._admin = LocalClient(Address(path=str(paths.admin(slot))), ANSWER_LIMIT)
        self._probe = LocalClient(
            Address(path=str(paths.pod_probe(slot))) if pod else Address(ip=ip, port=PROBE_PORT),
            ANSWER_LIMIT,
        )
        self._exited = asyncio.Event()

    async def start(self) -> None:
        """Start the process; ``wait_ready`` returns when it serves.

        Raises MeshproofError where a port that its listeners must have is taken.
        """
        paths = self._context.paths
        if not self._pod:
            sockets.require_free(self._ip, FIXED_PORTS)
        config = build_bootstrap(
            node_id=self.node,
            cluster=self._service,
            metadata=self._metadata,
            xds_socket=str(paths.xds),
            zipkin_socket=str(paths.zipkin),
            admin_socket=str(paths.admin(self._slot)),
            source_ip=self._ip,
            mesh_namespace=MESH_NAMESPACE if self._pod else "",
        )
        path = paths.bootstrap(self.node)
        private_files.write(path, json.dumps(config))
        paths.admin(self._slot).unlink(missing_ok=True)
        self._exited.clear()
        await self._context.supervisor.spawn(
            ProcessSpec(
                name=self.process,
                argv=envoy_binary.command(path, paths.envoy_log(self.node)),
                env=dict(self._context.base_env),
                cwd=str(paths.root),
                log=str(paths.envoy_log(self.node)),
                sidecar=True,
                pod=self._pod,
                transparent=self._transparent,
            )
        )

    def on_exit(self) -> None:
        self._exited.set()

    async def wait_ready(self) -> None:
        """Return when the first configuration is acknowledged and the listeners answer.

        Raises MeshproofError with Envoy's last lines when it ends or refuses before that.
        """
        exited = asyncio.create_task(self._exited.wait())
        serving = asyncio.create_task(self._wait_serving())
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
                + last_lines(self._context.paths.envoy_log(self.node))
            )
        finally:
            for task in (exited, serving):
                task.cancel()
            await asyncio.wait((exited, serving))

    async def _wait_serving(self) -> None:
        await self.client.wait_initialised()
        while True:
            try:
                status, _ = await self._probe.get("/ready", timeout=1.0)
                if status == 200:
                    return
            except (OSError, TimeoutError):
                pass
            await asyncio.sleep(
                0.01
            )  # a listener warms right after its ACK, which nothing announces

    async def write_marker(self, text: str) -> None:
        """Write a line with ``text`` in its path to the access log, after all earlier lines.

        Raises MeshproofError when this Envoy does not answer.
        """
        await self._get(self._probe, f"/marker/{text}")

    async def admin(self, path: str) -> bytes:
        """GET ``path`` of the admin interface. Raises MeshproofError when it does not answer."""
        status, body = await self._get(self._admin, path)
        if status != 200:
            raise MeshproofError(f"the Envoy of {self.node}: {path}: HTTP {status}")
        return body

    async def _get(self, client: LocalClient, path: str) -> tuple[int, bytes]:
        """Status and body; one that is paused is not waited for."""
        reason = "it is paused"
        if not self.client.paused:
            try:
                return await client.get(path)
            except (OSError, TimeoutError) as error:
                reason = str(error) or f"no answer within {ANSWER_LIMIT:g} s"
        raise MeshproofError(f"the Envoy of {self.node} does not answer: {reason}")

    async def stats(self, pattern: str) -> dict[str, int]:
        """Counters and gauges whose names match a regular expression."""
        body = await self.admin(f"/stats?format=json&filter={pattern}")
        return {
            entry["name"]: entry["value"]
            for entry in json.loads(body)["stats"]
            if "name" in entry and isinstance(entry.get("value"), int)
        }

    async def stop(self) -> None:
        """End the process and forget the stream."""
        self._context.ads.forget(self.node)
        await self.end_process()
        await self.close()

    async def end_process(self) -> None:
        """End it, if it runs."""
        with contextlib.suppress(MeshproofError):  # it may have ended by itself
            await self._context.supervisor.stop(self.process, grace=1.0)

    async def close(self) -> None:
        await self._admin.close()
        await self._probe.close()
