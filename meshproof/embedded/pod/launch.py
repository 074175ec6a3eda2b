"""What the programs of one replica are started with: addresses, files, environment, words."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod import environment
from meshproof.embedded.pod.volumes import Mounts
from meshproof.embedded.pod.workload import Program, Workload
from meshproof.embedded.process_names import container_process
from meshproof.host import process_identity
from meshproof.host.addresses import real_port
from meshproof.host.process_spec import ProcessSpec
from meshproof.model.kube_workloads import POD_INDEX, POD_NAME
from meshproof.model.volume_files import VolumeContent, read_volumes
from meshproof.project import expand
from meshproof.translate.world import Address


class Launch:
    """``number`` is the replica's own in a StatefulSet; it names the pod there."""

    def __init__(
        self, runtime: MeshContext, name: str, *, slot: int, ips: tuple[str, str], number: int
    ) -> None:
        self._runtime, self._name, self._slot, self._number = runtime, name, slot, number
        self._ip, self.app_ip = ips
        self._app: dict[int, Address] = {}
        self._mounts: Mounts | None = None

    def labels(self, workload: Workload) -> Mapping[str, str]:
        """The template's, and those by which a numbered pod is told from the others."""
        if not workload.numbered:
            return workload.labels
        return {
            **workload.labels,
            POD_NAME: self._pod(workload),
            POD_INDEX: str(self._number),
        }

    def _pod(self, workload: Workload) -> str:
        return f"{workload.name}-{self._number}" if workload.numbered else self._name

    def process(self, workload: Workload, program: Program) -> str:
        """The name of a program's process: the app has the replica's own."""
        if program == workload.program:
            return self._name
        return container_process(self._name, program.name)

    # -- addresses -----------------------------------------------------------------------------

    def app_address(self, workload: Workload, port: int) -> Address:
        """Where the container that serves a port listens for it."""
        if port not in self._app:
            server = workload.server_of(port)
            if server.says("{socket}"):
                self._app[port] = Address(path=self.socket(workload, server))
            else:
                self._app[port] = Address(ip=self.app_ip, port=real_port(self.app_ip, port))
        return self._app[port]

    def socket(self, workload: Workload, program: Program) -> str:
        """Short, whatever the container is called."""
        path = str(self._runtime.files.app(self._slot))
        at = workload.beside.index(program) if program in workload.beside else -1
        return path if at < 0 else f"{path}.{at}"

    # -- files ---------------------------------------------------------------------------------

    def lay_out(self, workload: Workload) -> None:
        """Make the pod's volumes and what each container sees of them."""
        self._mounts = Mounts(
            self._runtime.files.private(self._name), self._runtime.files.private("claims")
        )
        self.fill(workload)
        for program in (*workload.before, workload.program, *workload.beside):
            self._mounts.mount(program.name, program.mounts)

    def fill(self, workload: Workload) -> None:
        """Write the files of ConfigMaps and Secrets as they are now."""
        if self._mounts is None:
            return
        fields = workload.fields(self._pod(workload), self._ip, self.labels(workload))
        found, _ = read_volumes(workload.deployment, workload.config, fields)
        shared = [
            VolumeContent(c.name, c.files, c.claim and f"{workload.namespace}.{c.claim}")
            for c in found
        ]
        own = [
            VolumeContent(claim, (), f"{workload.namespace}.{claim}-{self._pod(workload)}")
            for claim in workload.claims
        ]
        self._mounts.fill((*shared, *own))

    def root(self, program: Program) -> str:
        """The folder below which a container's mounts lie."""
        return str(self._mounts.root(program.name)) if self._mounts else ""

    # -- programs ------------------------------------------------------------------------------

    def values(self, workload: Workload, program: Program) -> dict[str, str]:
        """What the placeholders of commands and environments stand for."""
        first = program.ports[0][1] if program.ports else 8080
        address = self.app_address(workload, first)
        name = self.process(workload, program)
        return {
            "python": sys.executable,
            "ip": self.app_ip,
            "port": str(address.port or first),
            "socket": self.socket(workload, program),
            "spans": self._runtime.urls.get("zipkin", ""),
            "dir": str(self._runtime.files.private(name)),
            "files": self.root(program),
        }

    def env(self, workload: Workload, program: Program) -> dict[str, str]:
        """The container's whole environment. The image table's variables win: they say where the
        app is to listen here. The run id lets the supervisor find what a probe or ``exec`` has
        started, and end it with the mesh."""
        values = self.values(workload, program)
        table = {k: expand([v], values)[0] for k, v in program.env.items()}
        fields = workload.fields(self._pod(workload), self._ip, self.labels(workload))
        return {
            **self._runtime.base_env,
            "HOSTNAME": self._pod(workload),
            **environment.proxy(self._ip),
            **workload.container_env(program, fields, values["files"]),
            **table,
            process_identity.RUN_ID_VARIABLE: self._runtime.run_id,
        }

    def spec(self, workload: Workload, program: Program) -> ProcessSpec:
        """The process of one program."""
        env = self.env(workload, program)
        name = self.process(workload, program)
        return ProcessSpec(
            name=name,
            argv=program.argv(self.values(workload, program), env),
            env=env,
            cwd=str(self._runtime.project.root),
            log=str(self._runtime.files.app_log(name)),
        )
