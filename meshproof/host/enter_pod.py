"""Runs a command in a pod: ``python -I -S enter_pod.py PID ENVIRONMENT COMMAND...``.

``PID`` is a process of the container, ``ENVIRONMENT`` a JSON file of the container's variables. The
command has this process's standard streams and a container's rights; exit code 127 means that there
is no such program, 126 that it cannot be run. Works for the user who owns the mesh.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings  # noqa: F401  (os imports it late, when this may be a user who cannot read it)

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def _enter(pid: str) -> None:
    """Every namespace of a process that is not this one's."""
    from meshproof.host import namespaces  # noqa: PLC0415  (only now can it be imported)

    handles = [
        os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net", "uts", "mnt")
    ]
    user, group, groups = _users(pid)
    folder = os.getcwd()  # noqa: PTH109
    for handle in handles:
        namespaces.enter(handle)
        os.close(handle)
    with contextlib.suppress(OSError):  # it may not be there in the pod
        os.chdir(folder)
    namespaces.reduce_capabilities(namespaces.CONTAINER)
    if user != os.geteuid():
        namespaces.become(user, group, groups)


def _users(pid: str) -> tuple[int, int, list[int]]:
    """User, group and further groups of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:  # noqa: PTH123
        fields = dict(line.split(":", 1) for line in status)
    groups = [int(number) for number in fields["Groups"].split()]
    return int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1]), groups


def main() -> None:
    pid, file, *command = sys.argv[1:]
    with open(file, encoding="utf-8") as variables:  # noqa: PTH123
        env = json.load(variables)
    sys.path.insert(0, _PACKAGE)
    try:
        _enter(pid)
    except OSError as error:
        sys.exit(f"the container has ended: {error}")
    try:
        os.execvpe(command[0], command, env)  # noqa: S606  (this process becomes the command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main()
