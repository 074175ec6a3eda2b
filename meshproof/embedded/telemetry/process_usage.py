"""Processor time and memory of what a mesh runs, as /proc says, in one reading for all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from meshproof.host import procfs
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.mesh import Usage

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def usage(running: Mapping[str, int]) -> list[Usage]:
    """Process name -> pid of its leader (``Processes.running``) -> what each uses, by name.

    A process that leads a session counts with all of that session: gunicorn's workers are its.
    """
    names = {pid: name for name, pid in running.items()}
    seconds, pages = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            leader = procfs.session_of(int(entry.name))
            if leader in names:
                used, resident = _of_process(entry)
                seconds[leader] += used
                pages[leader] += resident
    return [
        Usage(*_whose(name), seconds[pid], pages[pid] * _PAGE)
        for pid, name in sorted(names.items(), key=lambda item: item[1])
    ]


def _whose(process: str) -> tuple[str, str]:
    """Name and part: ``svca-1.envoy`` is a sidecar, ``outside.msgd.test`` a host's app."""
    if process.endswith(".envoy"):
        name = process.removesuffix(".envoy")
        return ("gateway" if name == INGRESS_GATEWAY else name, "sidecar")
    return (process.removeprefix("outside."), "app")


def _of_process(entry: Path) -> tuple[float, int]:
    """Seconds used, those of ended children included, and pages resident; zeros where it ended."""
    try:
        fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0, 0
    return sum(int(field) for field in fields[11:15]) / _TICKS, int(fields[21])
