"""What the containers of one replica are started with: addresses, files, environment, arguments."""

from __future__ import annotations

import os
import sys
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod import environment
from meshproof.embedded.pod.replica_state import ReplicaState
from meshproof.embedded.pod.volumes import Volumes
from meshproof.embedded.pod.workload import Program
from meshproof.embedded.process_names import container_process
from meshproof.embedded.sandbox import SocketFactory
from meshproof.host.addresses import preferred_port, real_port
from meshproof.host.process_identity import RUN_ID_VARIABLE
from meshproof.host.process_spec import ProcessSpec
from meshproof.host.users import may_run_as
from meshproof.model.kube_security import merge_contexts
from meshproof.model.kube_workloads import POD_INDEX, POD_NAME, template_of
from meshproof.model.volume_files import VolumeContent, read_volumes
from meshproof.project import expand
from meshproof.translate.world import Address

_DEFAULT_PORT = 8080
_SPANS_PORT = 9411
SPANS_IN_POD = f"http://127.0.0.1:{_SPANS_PORT}"
"""The span store for the programs of a pod."""


class Launch:
    """``ip`` is the sidecar's address, ``app_ip`` the app's; ``ordinal`` is the replica's number in
    a StatefulSet, where it names the pod."""

    def __init__(
        self,
        context: MeshContext,
        state: ReplicaState,
        *,
        slot: int,
        ip: str,
        app_ip: str,
        ordinal: int,
    ) -> None:
        self._context, self._state, self._slot, self._ordinal = context, state, slot, ordinal
        self._in_pod = context.sandboxes.enabled
        self._ip, self._app_ip = ip, ip if self._in_pod else app_ip
        self._app_addresses: dict[int, Address] = {}
        self._volumes: Volumes | None = None

    def labels(self) -> Mapping[str, str]:
        """The pod template's, and those by which the pods of a StatefulSet are told apart."""
        workload = self._state.workload
        if not workload.stateful:
            return workload.labels
        return {**workload.labels, POD_NAME: self._pod(), POD_INDEX: str(self._ordinal)}

    @property
    def host_name(self) -> str:
        """The pod's own where it names one, else its name, as in Kubernetes."""
        own = template_of(self._state.workload.deployment).spec.hostname
        return own or self._pod()

    def host_aliases(self) -> str:
        """Lines of the pod's hosts file."""
        aliases = template_of(self._state.workload.deployment).spec.host_aliases
        return "".join(f"{a.ip}\t{' '.join(a.hostnames)}\n" for a in aliases if a.hostnames)

    def _pod(self) -> str:
        """As in Kubernetes: a replica's name begins with the namespace where two have a workload
        of one name, and a pod's does not."""
        workload, name = self._state.workload, self._state.name
        if workload.stateful:
            return f"{workload.name}-{self._ordinal}"
        own = f"{workload.namespace}.{workload.name}-"
        return name.removeprefix(f"{workload.namespace}.") if name.startswith(own) else name

    def process(self, program: Program) -> str:
        """The name of a program's process: the app has the replica's own."""
        if program == self._state.workload.program:
            return self._state.name
        return container_process(self._state.name, program.name)

    @property
    def make_socket(self) -> SocketFactory | None:
        """Makes the sockets by which the app is reached where it is in a pod."""
        return self._context.sandboxes.socket_factory(self._state.name) if self._in_pod else None

    # -- addresses -----------------------------------------------------------------------------

    def app_address(self, port: int) -> Address:
        """Where the container that serves a port listens for it."""
        if port not in self._app_addresses:
            server = self._state.workload.server_of(port)
            self._app_addresses[port] = (
                Address(path=self._socket(server))
                if server.uses("{socket}")
                else Address(ip=self._app_ip, port=self._app_port(server, port))
            )
        return self._app_addresses[port]

    def _app_port(self, server: Program, port: int) -> int:
        """In a pod a port is free. Otherwise one that a container is given by {port} may be another
        where that one is taken. Any other it chose itself, so it may listen there already."""
        if self._in_pod:
            return port
        if server.uses("{port}") and port == _assigned_port(server):
            return real_port(self._app_ip, port)
        return preferred_port(port)

    def _socket(self, program: Program) -> str:
        """By slot and index, so that it is short whatever the container is called."""
        path = str(self._context.paths.app(self._slot))
        companions = self._state.workload.companions
        return f"{path}.{companions.index(program)}" if program in companions else path

    def remove_socket(self) -> None:
        """Remove the app's socket that a previous process may have left."""
        self._context.paths.app(self._slot).unlink(missing_ok=True)

    # -- files ---------------------------------------------------------------------------------

    def lay_out(self) -> None:
        """Create the pod's volumes and each container's view of them."""
        paths, workload = self._context.paths, self._state.workload
        self._volumes = Volumes(paths.private(self._state.name), paths.private("claims"))
        self.write_files()
        if self._in_pod:
            return
        for program in (*workload.init_programs, workload.program, *workload.companions):
            self._volumes.mount(program.name, program.mounts)

    def write_files(self) -> None:
        """Write the files of ConfigMaps and Secrets as they are now, if the volumes exist yet."""
        if self._volumes is None:
            return
        workload = self._state.workload
        contents, _ = read_volumes(workload.deployment, workload.config, self._downward_fields())
        shared = [
            VolumeContent(c.name, c.files, c.claim and f"{workload.namespace}.{c.claim}")
            for c in contents
        ]
        own = [
            VolumeContent(claim, (), f"{workload.namespace}.{claim}-{self._pod()}")
            for claim in workload.claims
        ]
        self._volumes.write((*shared, *own))

    def root(self, program: Program) -> str:
        """The folder below which a container's mounts are; empty where they are at their places."""
        if self._in_pod:
            return ""
        return str(self._volumes.root(program.name)) if self._volumes else ""

    # -- programs ------------------------------------------------------------------------------

    def _placeholders(self, program: Program) -> dict[str, str]:
        """The values of placeholders in commands and environments."""
        first = _assigned_port(program)
        address = self.app_address(first)
        return {
            "python": sys.executable,
            "ip": self._app_ip,
            "port": str(address.port or first),
            "socket": self._socket(program),
            "spans": self._spans_url(),
            "dir": str(self._context.paths.private(self.process(program))),
            "files": self.root(program),
        }

    def _spans_url(self) -> str:
        """In a pod its own localhost, where ``ReplicaRunner`` has put the span store."""
        return SPANS_IN_POD if self._in_pod else self._context.urls.get("zipkin", "")

    async def offer_spans(self) -> None:
        """Let the pod's programs reach the span store, if one of them is to."""
        workload = self._state.workload
        programs = (workload.program, *workload.companions, *workload.init_programs)
        url = urllib.parse.urlsplit(self._context.urls.get("zipkin", ""))
        if url.hostname and url.port and any(p.uses("{spans}") for p in programs):
            to = Address(ip=url.hostname, port=url.port)
            await self._context.sandboxes.offer(self._state.name, _SPANS_PORT, to)

    def _downward_fields(self) -> dict[str, str]:
        return self._state.workload.downward_fields(self._pod(), self._ip, self.labels())

    def env(self, program: Program) -> dict[str, str]:
        """The container's whole environment. The image table's variables win: they tell the app
        where to listen here. By the run id the supervisor finds the processes that a probe or
        ``exec`` has started, and ends them with the mesh."""
        values = self._placeholders(program)
        table = {k: expand([v], values)[0] for k, v in program.env.items()}
        own = self._state.workload.container_env(program, self._downward_fields(), values["files"])
        return {
            **self._context.base_env,
            "HOSTNAME": self.host_name if self._in_pod else self._pod(),
            **({} if self._in_pod else environment.proxy(self._ip)),
            **own,
            **table,
            RUN_ID_VARIABLE: self._context.run_id,
        }

    def _places(self, program: Program) -> list[tuple[str, str]]:
        """The container's volumes, at their real paths; what the image table gives it to write,
        where a read-only root or a volume (an emptyDir at /tmp) would keep it away. Outer places
        first."""
        if not self._volumes or not self._in_pod:
            return []
        places = self._volumes.places(program.mounts)
        read_only = program.container.security_context.read_only_root_filesystem
        folders = {
            "{dir}": self._context.paths.private(self.process(program)),
            "{socket}": self._context.paths.sockets,
        }
        for folder in (f for name, f in folders.items() if program.uses(name)):
            if read_only or any(folder.is_relative_to(place) for _, place in places):
                places.append((str(folder), str(folder)))
        return sorted(places, key=lambda pair: pair[1])

    def _security(self, program: Program) -> dict[str, Any]:
        """The fields of a process that securityContext decides."""
        if not self._in_pod:
            return {}
        pod = template_of(self._state.workload.deployment).spec
        security = merge_contexts(pod.security_context, program.container.security_context)
        fields: dict[str, Any] = {
            "read_only": security.read_only,
            "dropped": sorted(security.dropped),
        }
        user = security.user
        if user is not None and user != os.geteuid() and may_run_as(user):
            fields |= {
                "user": user,
                "group": security.group,
                "groups": list(security.groups),
            }
        return fields

    def command_spec(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> ProcessSpec:
        """A command beside the app, in its pod; what it writes is not kept."""
        return replace(
            self.spec(self._state.workload.program),
            name=name, argv=argv, env=env, log=os.devnull,
        )  # fmt: skip

    def spec(self, program: Program) -> ProcessSpec:
        """The process of one program."""
        env = self.env(program)
        name = self.process(program)
        return ProcessSpec(
            name=name,
            argv=program.argv(self._placeholders(program), env),
            env=env,
            cwd=str(self._context.project.root),
            log=str(self._context.paths.app_log(name)),
            pod=self._state.name if self._in_pod else "",
            mounts=self._places(program),
            staging=str(self._context.paths.private(f"{self._state.name}.root")),
            **self._security(program),
        )


def _assigned_port(program: Program) -> int:
    """The value of {port}: the container's first port."""
    return program.ports[0][1] if program.ports else _DEFAULT_PORT
