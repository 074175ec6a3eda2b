"""Why this machine does not allow pods, and what would: from the first step that failed."""

from __future__ import annotations

import errno
from pathlib import Path

from meshproof.errors import MeshproofError

_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_DEBIAN = Path("/proc/sys/kernel/unprivileged_userns_clone")
_STATUS = Path("/proc/self/status")
_FORBIDDEN = (errno.EPERM, errno.EACCES, errno.EROFS)
_UNKNOWN = (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EINVAL, errno.ENOSYS)


class PodsUnavailable(MeshproofError):
    """The message names the step, the kernel's error and the remedy."""


def explain(step: str, number: int, text: str) -> str:
    """One line: the step that failed, and how to make it succeed."""
    if number == errno.ENOSPC:
        remedy = "raise the limits user.max_*_namespaces, such as user.max_user_namespaces=10000"
    elif number in _FORBIDDEN:
        remedy = _explain_forbidden()
    elif step == "nat" and number in _UNKNOWN:
        remedy = "this kernel has no nf_tables nat: sudo modprobe nft_nat, or on WSL2 wsl --update"
    elif step == "user namespace" and number in _UNKNOWN:
        remedy = "this kernel is built without user namespaces"
    else:
        remedy = "no remedy is known"
    return f"{step}: {text}; {remedy}"


def _explain_forbidden() -> str:
    if _read(_APPARMOR) == "1":
        return (
            "AppArmor restricts user namespaces here: sudo sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0, or give this Python a profile with "
            "`userns,`"
        )
    if _read(_DEBIAN) == "0":
        return "user namespaces are off: sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _is_filtered():
        return (
            "a container forbids it: docker run --security-opt seccomp=unconfined --security-opt "
            "apparmor=unconfined --security-opt systempaths=unconfined"
        )
    return "a security module of this machine forbids it"


def _is_filtered() -> bool:
    """Whether a seccomp filter is in force, as in Docker's containers."""
    return "\nSeccomp:\t2" in _read(_STATUS)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # this kernel has no such setting
        return ""
