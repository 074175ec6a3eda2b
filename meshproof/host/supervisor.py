"""The supervisor, which starts and ends every process of a mesh: one file, standard library only.

Run as ``python -I -S supervisor.py CONFIG``: it starts within 40 ms that way, so it imports nothing
of meshproof and no package. ``CONFIG`` is JSON: ``fd`` (its end of a Unix socket pair), ``helper``
(the end for requests for sockets in pods), ``owner`` (pid of the mesh process, its parent),
``run_id``, ``run_dir``, ``grace`` (seconds between SIGTERM and SIGKILL when the owner died).

Lines of JSON in: ``{"op": "spawn", name, argv, env, cwd, log, sidecar, pod}``,
``{"op": "stop", name, grace}``, ``{"op": "signal", name, signal}``, ``{"op": "close", grace}``.
Lines of JSON out: ``{"event": "spawned", name, pid}``, ``{"event": "failed", name, error}``,
``{"event": "exit", name, pid, code, requested}``.

Pods: ``{"op": "open_pods", name, package, dns_port, inbound_port, mesh_handle}``,
``{"op": "add_pod", name, pod, ip, hostname, files, ways}``, each answered by
``{"event": "answered", name, error, step, errno}`` where an empty ``error`` is success, and
``{"op": "remove_pod", pod}``.
Only with the first of them does it import a module of meshproof, ``host.pod_namespaces``.

What it relies on: children get SIGKILL when its only thread ends (PR_SET_PDEATHSIG), and orphaned
descendants become its children (PR_SET_CHILD_SUBREAPER). It learns of the owner's death from the
closed socket, or from the owner's pidfd where a fork of the owner still holds the socket.
"""

# pathlib is slow to import, and this file starts fast:
# ruff: noqa: PTH108, PTH118, PTH106, PTH120, PTH123, PTH208

import contextlib
import ctypes
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MARKER = "owner.json"
NAMED = "named"
"""File in the run folder with the path of the state file that gives this run a name."""
PROCESS = "MESHPROOF_PROCESS"
"""The variable by which a process, and what it leaves behind, is known as one of its name."""
APPS_SHARE = 0.7
"""Share of the grace period that the apps have before the sidecars get SIGTERM too."""
KILL_ROUND = 0.05
"""Seconds between two looks for descendants that outlived SIGKILL so far."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl


def prctl(option: int, value: int) -> None:
    """Raise OSError when the kernel refuses."""
    if _prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


def lowest(handle: int) -> int:
    """The same open file by the lowest number that is free, and no longer by this one: an inherited
    number is whatever was free in the owner, and ``mesh_handle`` is one that must be free here."""
    try:
        return os.dup(handle)
    finally:
        os.close(handle)


def send_group(pid: int, number: int) -> None:
    """Signal a child's whole process group, if it still exists."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def children() -> list[int]:
    """Every child of this process, adopted ones included."""
    me, pids = os.getpid(), []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", "rb") as stat:
                # The name in parentheses may hold anything, so fields are counted after it.
                if int(stat.read().rpartition(b")")[2].split()[1]) == me:
                    pids.append(int(entry))
    return pids


def kill_marked(run_id: str, spared: set[int], name: str = "") -> bool:
    """SIGKILL what carries the run id in its environment, of one process asked for by ``name`` and
    its descendants alone where it is given; True where there was any."""
    marks, killed = {f"MESHPROOF_RUN_ID={run_id}".encode()}, False
    if name:
        marks.add(f"{PROCESS}={name}".encode())
    for pid in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        if pid in spared:
            continue
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(pid)  # held first, so that the pid cannot change its owner
            try:
                with open(f"/proc/{pid}/environ", "rb") as environ:
                    if marks <= set(environ.read().split(b"\0")):
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                        killed = True
            finally:
                os.close(handle)
    return killed


def forget_name(run_dir: str, run_id: str) -> None:
    """Remove what ``registry.publish`` wrote for this run, if it is still this run's."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with open(os.path.join(run_dir, NAMED)) as named:
            path = named.read()
        with open(path) as entry:
            ours = json.load(entry)["run_id"] == run_id
        if ours:
            os.unlink(path)


def remove_folder(run_dir: str, run_id: str) -> None:
    """Remove the run folder if it is ours by its marker, and its parent if that is empty now."""
    import shutil  # noqa: PLC0415  (slow to import, and needed once, at the end)

    try:
        with open(os.path.join(run_dir, MARKER)) as marker:
            ours = json.load(marker)["run_id"] == run_id
    except (OSError, ValueError, KeyError, TypeError):
        return
    if ours:
        forget_name(run_dir, run_id)
        shutil.rmtree(run_dir, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(run_dir))


class Child:
    """A process that the mesh asked for by name."""

    def __init__(self, name: str, pid: int, sidecar: bool) -> None:
        self.name = name
        self.pid = pid
        self.sidecar = sidecar
        self.requested = False
        self.kill_at = float("inf")


class Supervisor:
    """One thread, one loop: the socket, the owner's pidfd and signals are its only inputs."""

    def __init__(self, config: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        self.run_id: str = config["run_id"]
        self.run_dir: str = config["run_dir"]
        self.grace = float(config["grace"])
        self.owner = int(config["owner"])
        self.socket, self.helper = (
            socket.socket(fileno=lowest(int(config[name]))) for name in ("fd", "helper")
        )
        self.socket.setblocking(False)
        self.pid = os.getpid()
        self.children: dict[str, Child] = {}
        self.incoming = b""
        self.outgoing = b""
        self.pods: Any = None
        """A ``PodNamespaces``, once pods are open."""
        self.terminated = False
        self.ending = False
        self.sidecars_at = self.kill_at = float("inf")
        self.selector = selectors.DefaultSelector()
        self.wake, self.wake_writer = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.wake_writer, False)

    def run(self) -> None:
        """Serve until told to end; returns when no descendant is left and the folder is gone."""
        try:
            self.watch()
            while not (self.ending and (not self.children or time.monotonic() >= self.kill_at)):
                for key, _ in self.selector.select(self.timeout()):
                    key.data()
                if self.terminated:
                    self.end(self.grace)
                self.reap()
                self.enforce()
        finally:
            self.end_descendants()
            remove_folder(self.run_dir, self.run_id)

    def watch(self) -> None:
        """Install signals and inputs; an owner that died before this is noticed here."""
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        signal.set_wakeup_fd(self.wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.on_sigterm)
        self.selector.register(self.wake, selectors.EVENT_READ, self.drain_wake_pipe)
        self.selector.register(self.socket, selectors.EVENT_READ, self.on_socket)
        with contextlib.suppress(OSError):  # a kernel before 5.3: the socket alone must do
            handle = os.pidfd_open(self.owner)
            self.selector.register(handle, selectors.EVENT_READ, lambda: self.on_owner_exit(handle))
        if os.getppid() != self.owner:
            self.end(self.grace)

    def on_sigterm(self, *_: object) -> None:
        self.terminated = True  # nothing else: the loop may be iterating over the children

    def timeout(self) -> float | None:
        """Seconds until the next deadline, None for none."""
        deadlines = [child.kill_at for child in self.children.values()]
        first = min([self.kill_at, self.sidecars_at, *deadlines])
        return None if first == float("inf") else max(0.0, first - time.monotonic())

    def drain_wake_pipe(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.wake, 4096):
                pass

    def on_owner_exit(self, handle: int) -> None:
        self.selector.unregister(handle)
        self.end(self.grace)

    def on_socket(self) -> None:
        """Read commands and send queued events; a closed socket means that the owner has ended."""
        try:
            self.flush()
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.on_hang_up()
            return
        *lines, self.incoming = (self.incoming + data).split(b"\n")
        for line in lines:
            self.execute(json.loads(line))

    def on_hang_up(self) -> None:
        self.selector.unregister(self.socket)
        self.socket.close()
        self.end(self.grace)

    def send_event(self, **event: object) -> None:
        """Queue a line; never blocks, so that a stopped owner cannot stop us."""
        if self.socket.fileno() < 0:
            return
        self.outgoing += json.dumps(event).encode() + b"\n"
        with contextlib.suppress(OSError):  # a broken socket is noticed by the next read
            self.flush()

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.outgoing:
                self.outgoing = self.outgoing[self.socket.send(self.outgoing) :]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
        self.selector.modify(self.socket, wanted, self.on_socket)

    def execute(self, command: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        if command["op"] == "spawn":
            self.spawn(command)
        elif command["op"] == "close":
            self.end(command["grace"])
        elif command["op"] in {"open_pods", "add_pod"}:
            self.answer(command, getattr(self, command["op"]))
        elif command["op"] == "remove_pod":
            self.pods.remove(command["pod"])
        elif (child := self.children.get(command["name"])) is None:
            return  # it ended while the command was on its way: its exit event says so
        elif command["op"] == "signal":
            send_group(child.pid, command["signal"])
        elif command["op"] == "stop":
            self.terminate(child)
            child.kill_at = min(child.kill_at, time.monotonic() + command["grace"])

    def spawn(self, command: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        name = command["name"]
        try:
            if self.ending:
                raise OSError("the mesh is ending")
            if name in self.children:
                raise OSError(f"a process named {name} runs already")
            pid = self.start(command)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            self.send_event(event="failed", name=name, error=what)
            return
        except (subprocess.SubprocessError, ValueError) as error:
            self.send_event(event="failed", name=name, error=str(error))
            return
        self.children[name] = Child(name, pid, bool(command["sidecar"]))
        self.send_event(event="spawned", name=name, pid=pid)

    def start(self, command: dict) -> int:  # type: ignore[type-arg]  # plain JSON
        env = {**command["env"], "MESHPROOF_RUN_ID": self.run_id, PROCESS: command["name"]}
        umask = 0o077 if command["sidecar"] else -1  # access logs are this user's alone
        set_up = self.child_set_up(command)
        log = os.open(command["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(
                command["argv"],
                env=env,
                cwd=command["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=umask,
                pass_fds=(self.pods.mesh_handle,) if command["pod"] and command["sidecar"] else (),
                preexec_fn=set_up,  # noqa: PLW1509  (one thread: no lock to be held)
            )
        finally:
            os.close(log)
        process.returncode = 0  # it is reaped by ``reap``; Popen must not wait for the pid again
        return process.pid

    def answer(self, command: dict, work: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
        """Do what was asked for, and say whether it worked."""
        result = {"error": "", "step": "", "errno": 0}
        try:
            work(command)
        except OSError as error:
            result["error"] = error.strerror or str(error)
            result["step"], result["errno"] = getattr(error, "step", ""), error.errno or 0
        self.send_event(event="answered", name=command["name"], **result)

    def open_pods(self, command: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        sys.path.insert(0, command["package"])
        from meshproof.host.pod_namespaces import PodNamespaces  # noqa: PLC0415

        self.pods = PodNamespaces(
            dns_port=command["dns_port"],
            inbound_port=command["inbound_port"],
            mesh_handle=command["mesh_handle"],
        )
        self.pods.start_helper(self.helper, self.bind_life)

    def add_pod(self, command: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        if self.pods is None:
            raise OSError("this mesh has no pods")
        names = ("pod", "ip", "hostname", "files", "ways")
        self.pods.add(*(command[name] for name in names))

    def child_set_up(self, command: dict) -> Callable[[], None]:  # type: ignore[type-arg]
        """What a child does before ``exec``."""
        if not command["pod"]:
            return self.bind_life
        if self.pods is None:
            raise OSError("this mesh has no pods")
        join = self.pods.join(command)

        def set_up() -> None:
            try:
                join()
            except OSError as error:  # Popen would not say which
                os.write(2, f"joining the pod: {error}\n".encode())
                raise
            self.bind_life()  # afterwards: joining a user namespace undoes it

        return set_up

    def bind_life(self) -> None:
        """In the child: die with the supervisor; signals as for a process started by a shell."""
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.pid:  # the supervisor died between fork and prctl
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def terminate(self, child: Child) -> None:
        """SIGTERM to the process itself, as the kubelet does; SIGCONT in case it is paused."""
        child.requested = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        send_group(child.pid, signal.SIGCONT)

    def reap(self) -> None:
        """Collect every exit. The rest of a named child's process group ends with it, and what has
        left that group, as all of a container does: a port that a daemon keeps would not be free
        for the child's successor.

        The group is signalled before the child is reaped: as long as the child is a zombie, no
        other group can have its number.
        """
        named = {child.pid: child for child in self.children.values()}
        with contextlib.suppress(ChildProcessError):
            while exited := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                child = named.get(exited.si_pid)
                if child:
                    send_group(child.pid, signal.SIGKILL)
                _, status = os.waitpid(exited.si_pid, 0)
                if child:
                    del self.children[child.name]
                    code = os.waitstatus_to_exitcode(status)
                    if not child.sidecar and not self.ending:
                        kill_marked(self.run_id, {self.pid, self.owner}, child.name)
                    self.send_event(
                        event="exit",
                        name=child.name,
                        pid=child.pid,
                        code=code,
                        requested=child.requested,
                    )

    def end(self, grace: float) -> None:
        """Begin to end everything within ``grace`` seconds; a second call can only shorten it."""
        now = time.monotonic()
        self.ending = True
        self.kill_at = min(self.kill_at, now + grace)
        self.sidecars_at = min(self.sidecars_at, now + grace * APPS_SHARE)
        for child in self.children.values():
            if not child.sidecar and not child.requested:
                self.terminate(child)

    def enforce(self) -> None:
        """SIGKILL where a grace period is over; SIGTERM to the sidecars once no app is left."""
        now = time.monotonic()
        for child in self.children.values():
            if now >= child.kill_at:
                child.kill_at = float("inf")
                send_group(child.pid, signal.SIGKILL)
        apps_left = any(not child.sidecar for child in self.children.values())
        if self.ending and (not apps_left or now >= self.sidecars_at):
            self.sidecars_at = float("inf")
            for child in self.children.values():
                if child.sidecar and not child.requested:
                    self.terminate(child)

    def end_descendants(self) -> None:
        """SIGKILL to all descendants, in rounds: orphans of one round are children in the next."""
        for child in self.children.values():
            send_group(child.pid, signal.SIGKILL)
        while True:
            pids = children()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            strays = kill_marked(self.run_id, {self.pid, self.owner, *pids})
            self.reap()
            if not pids and not strays:
                return
            select.select([self.wake], [], [], KILL_ROUND)
            self.drain_wake_pipe()


if __name__ == "__main__":
    Supervisor(json.loads(sys.argv[1])).run()
