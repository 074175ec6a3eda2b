"""Starting, signalling and ending single processes through a real supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import MeshproofError
from meshproof.host import process_identity, processes

pytestmark = pytest.mark.long


Supervised = Callable[[Callable[[Any], Any]], Any]

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1; done"


def test_exit_code_output_and_environment(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        spec = run.spec(
            "app", "sh", "-c", "env; echo oops >&2; exit 7", env={"PATH": "/bin", "A": "b"}
        )
        pid = await run.supervisor.spawn(spec)
        await run.wait(lambda: run.exits, "the exit is reported")
        assert [(e.name, e.pid, e.code, e.requested) for e in run.exits] == [("app", pid, 7, False)]
        lines = set(run.log("app").split())
        assert {"A=b", f"MESHPROOF_RUN_ID={run.run_id}", "oops"} <= lines
        foreign = {line.partition("=")[0] for line in lines} & (set(os.environ) - {"PATH", "PWD"})
        assert foreign - {"A", "_", "SHLVL", "OLDPWD"} == set()

    supervised(script)


def test_log_is_appended_to(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        for count in (1, 2):
            await run.supervisor.spawn(run.spec("app", "echo", f"start {count}"))
            await run.wait(lambda n=count: len(run.exits) == n, "it ended")
        assert run.log("app") == "start 1\nstart 2\n"

    supervised(script)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"argv": ["/nowhere/program"]}, "/nowhere/program: No such file or directory"),
        ({"argv": ["no-such-program"]}, "no-such-program: No such file or directory"),
        ({"argv": ["/etc/passwd"]}, "/etc/passwd: Permission denied"),
        ({"cwd": "/nowhere"}, "/nowhere: No such file or directory"),
        ({"log": "/nowhere/app.log"}, "/nowhere/app.log: No such file or directory"),
        ({"env": {"A=B": "c"}}, "illegal environment variable name"),
        ({"argv": ["true", "x" * 5_000_000]}, "Argument list too long"),
    ],
)
def test_failed_start_says_what_failed(
    supervised: Supervised, change: dict[str, Any], message: str
) -> None:
    async def script(run: Any) -> None:
        with pytest.raises(MeshproofError) as failure:
            await run.supervisor.spawn(
                run.spec("app", "sleep", "100", **{"argv": ["true"], **change})
            )
        assert str(failure.value).startswith("app: not started: ")
        assert message in str(failure.value)
        assert run.supervisor.running == {}
        await run.supervisor.spawn(run.spec("app", "true"))  # the supervisor lives on

    supervised(script)


def test_name_in_use_is_refused(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", "sleep", "100"))
        with pytest.raises(MeshproofError, match="a process named app runs already"):
            await run.supervisor.spawn(run.spec("app", "sleep", "100"))

    supervised(script)


def test_stop_terminates_and_marks_the_exit_as_requested(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", "sleep", "100"))
        ended = await run.supervisor.stop("app", grace=10.0)
        assert (ended.code, ended.requested) == (-signal.SIGTERM, True)
        assert run.exits == [ended]
        with pytest.raises(MeshproofError, match="app: no such process is running"):
            await run.supervisor.stop("app", grace=1.0)

    supervised(script)


def test_stop_kills_what_ignores_term(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", "sh", "-c", STUBBORN))
        await run.wait(lambda: "ready" in run.log("app"), "the trap is set")
        ended = await run.supervisor.stop("app", grace=0.1)
        assert ended.code == -signal.SIGKILL

    supervised(script)


def test_stop_ends_a_paused_process_gracefully(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", "sleep", "100"))
        run.supervisor.signal("app", signal.SIGSTOP)
        assert (await run.supervisor.stop("app", grace=10.0)).code == -signal.SIGTERM

    supervised(script)


def test_signal_reaches_the_workers(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        pid = await run.supervisor.spawn(run.spec("app", "sh", "-c", "sleep 100 & wait"))
        await run.wait(lambda: len(run.remains()) == 3, "supervisor, shell and sleep run")
        workers = [p.pid for p in run.remains() if p.pid != run.supervisor.pid]
        run.supervisor.signal("app", signal.SIGSTOP)
        await run.wait(lambda: all(_state(p) == "T" for p in workers), "both are stopped")
        run.supervisor.signal("app", signal.SIGCONT)
        await run.wait(lambda: all(_state(p) != "T" for p in workers), "both go on")
        run.supervisor.signal("app", signal.SIGKILL)
        await run.wait(lambda: run.exits, "the kill is reported")
        assert [(e.pid, e.code, e.requested) for e in run.exits] == [(pid, -signal.SIGKILL, False)]
        await run.wait(lambda: len(run.remains()) == 1, "only the supervisor is left")

    supervised(script)


def test_workers_end_with_their_process(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", "sh", "-c", "sleep 100 & exit 3"))
        await run.wait(lambda: run.exits, "the shell's end is reported")
        await run.wait(lambda: len(run.remains()) == 1, "its sleep ends too, as in a pod")

    supervised(script)


def test_every_exit_of_a_flood_is_reported(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        names = [f"p{number}" for number in range(60)]
        await asyncio.gather(
            *(run.supervisor.spawn(run.spec(name, "sleep", "100")) for name in names)
        )
        assert sorted(run.supervisor.running) == sorted(names)
        for name in names:
            run.supervisor.signal(name, signal.SIGKILL)
        await run.wait(lambda: len(run.exits) == len(names), "all exits are reported")
        assert {e.name for e in run.exits} == set(names)
        assert {e.code for e in run.exits} == {-signal.SIGKILL}

    supervised(script)


def test_children_have_a_session_and_defaults_of_their_own(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        code = (
            "import os, signal; print(os.getsid(0) == os.getpid(), os.listdir('/proc/self/fd'),"
            " signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        )
        await run.supervisor.spawn(run.spec("app", sys.executable, "-I", "-S", "-c", code))
        await run.wait(lambda: run.exits, "it ended")
        # 0, 1, 2, and the one that listdir itself opens.
        assert run.log("app") == "True ['0', '1', '2', '3'] True\n"

    supervised(script)


def test_close_ends_apps_before_sidecars(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("envoy", "sleep", "100", sidecar=True))
        slow = "trap 'kill $!; exit 0' TERM; sleep 100 & echo ready; wait"
        await run.supervisor.spawn(run.spec("app", "sh", "-c", slow))
        await run.wait(lambda: "ready" in run.log("app"), "the trap is set")

    run = supervised(script)
    assert [(e.name, e.code, e.requested) for e in run.exits] == [
        ("app", 0, True),
        ("envoy", -signal.SIGTERM, True),
    ]


def test_supervisor_is_told_apart_by_the_run_id(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        supervisor = [run.supervisor.pid]  # its environment is empty during its exec
        await run.wait(lambda: [p.pid for p in run.remains()] == supervisor, "it is marked")
        assert process_identity.owner_alive(run.run_id) is True
        assert Path(f"/proc/{run.supervisor.pid}/cwd").readlink() == Path("/")

    supervised(script)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


HIDDEN = """
import os
hidden, until = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(1, b"%d\\n" % os.getpid())
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    os._exit(0)
os.close(until)
os.wait()
os.read(hidden, 1)  # its end was closed by the exec
"""
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(1, b"%d\\n" % os.getpid())
        os.execv("/bin/sleep", ["sleep", "1000"])
    os._exit(0)
os.wait()
if sys.argv[1] == "stays":
    os.execv("/bin/sleep", ["sleep", "1000"])
"""


@pytest.mark.parametrize("how", ["ends", "stopped"])
def test_what_a_process_has_detached_ends_with_it_and_its_neighbour_s_does_not(
    supervised: Supervised, how: str
) -> None:
    async def script(run: Any) -> None:
        code = (sys.executable, "-I", "-S", "-c", DAEMON)
        await run.supervisor.spawn(run.spec("other", *code, "stays"))
        await run.wait(lambda: run.log("other"), "it has a daemon")
        await run.supervisor.spawn(run.spec("app", *code, "ends" if how == "ends" else "stays"))
        await run.wait(lambda: run.log("app"), "it has a daemon")
        mine, others = (int(run.log(name)) for name in ("app", "other"))
        if how == "stopped":
            await run.supervisor.stop("app", grace=5.0)
        await run.wait(lambda: process_identity.start_time(mine) is None, "its daemon has ended")
        assert process_identity.start_time(others) is not None

    supervised(script)


def test_a_daemon_without_any_mark_ends_too(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        await run.supervisor.spawn(run.spec("app", sys.executable, "-I", "-S", "-c", HIDDEN))
        await run.wait(lambda: run.exits, "its parent ended")
        run.daemon = int(run.log("app"))
        await run.wait(lambda: processes.read_run_id(run.daemon) == "", "it hides")
        assert process_identity.start_time(run.daemon) is not None

    run = supervised(script)
    assert process_identity.start_time(run.daemon) is None, "the subreaper had adopted it"


def test_a_cancelled_spawn_leaves_no_process(supervised: Supervised) -> None:
    async def script(run: Any) -> None:
        starting = asyncio.create_task(run.supervisor.spawn(run.spec("app", "sleep", "100")))
        await asyncio.sleep(0)  # the order is sent, its answer is not here yet
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await run.wait(lambda: run.exits, "it was ended again")
        assert [(e.name, e.requested) for e in run.exits] == [("app", True)]
        assert run.supervisor.running == {}

    supervised(script)


def test_a_command_is_run_to_its_end_and_nobody_else_is_told(
    supervised: Supervised,
) -> None:
    async def script(run: Any) -> None:
        assert await run.supervisor.run(run.spec("c", "sh", "-c", "exit 7"), 300.0) == 7
        with pytest.raises(TimeoutError):
            await run.supervisor.run(run.spec("slow", "sleep", "1000"), 0.1)
        with pytest.raises(MeshproofError, match="no-such-program"):
            await run.supervisor.run(run.spec("none", "no-such-program"), 300.0)
        await run.wait(lambda: not run.supervisor.running, "the slow one has been killed")
        assert run.exits == []

    supervised(script)
