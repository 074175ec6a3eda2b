"""Linux namespaces of pods: creates them without root, and moves this process into them.

A mesh has one user namespace, in which its pods' other namespaces live, and one network namespace
that its sidecars share. Everything here works on the calling process, which must have one thread:
callers fork first. The supervisor uses it, so it imports the standard library only.

What it relies on (namespaces(7), user_namespaces(7), capabilities(7)): whoever creates a user
namespace has every capability in it, and none outside; a process that enters one loses its
PR_SET_PDEATHSIG; ``exec`` keeps ambient capabilities, and no others unless the user is root.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable, Iterator, Sequence

NEW_MOUNT, NEW_UTS, NEW_USER, NEW_NET = 0x00020000, 0x04000000, 0x10000000, 0x40000000

SYS_ADMIN, NET_RAW = 21, 13
_SETGID, _SETUID, _SETPCAP = 6, 7, 8
_LAST_CAPABILITY = 40
CHANGE_OF_USER = frozenset({_SETGID, _SETUID})
CONTAINER = frozenset({0, 1, 3, 4, 5, _SETGID, _SETUID, _SETPCAP, 10, 18, 27, 29, 31})
"""What a container's root has by default: chown, dac_override, fowner, fsetid, kill, setgid,
setuid, setpcap, net_bind_service, sys_chroot, mknod, audit_write, setfcap (Docker's, without
net_raw)."""

_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _AMBIENT_RAISE = 38, 24, 47, 2
_CAPABILITY_VERSION = 0x20080522
_PIVOT_ROOT = 155 if platform.machine() == "x86_64" else 41
"""Number of the system call, for which libc has no function: on x86_64, and on arm64."""
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_ATTR_READ_ONLY = 1
_AT_FDCWD, _AT_RECURSIVE, _TREE_CLONE, _MOVE_EMPTY_PATH = -100, 0x8000, 1, 4
_MNT_DETACH = 2
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


class StepFailed(OSError):
    """A step that the kernel refused; ``step`` is its name."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__(error.errno, error.strerror)
        self.step = step


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """What happens inside is one step: an OSError becomes ``StepFailed``."""
    try:
        yield
    except StepFailed:
        raise
    except OSError as error:
        raise StepFailed(name, error) from error


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """New namespaces for this process."""
    _check(_libc.unshare(flags), "unshare")


def enter(handle: int) -> None:
    """Move this process into the namespace of an open file."""
    _check(_libc.setns(handle, 0), "setns")


def bind_mount(source: str, target: str) -> None:
    """Show ``source`` (a file or a folder with what is mounted in it) at ``target``."""
    flags = _MS_BIND | _MS_REC
    _check(_libc.mount(source.encode(), target.encode(), None, flags, None), f"mount {target}")


def clone_tree(source: str) -> int:
    """An open file of a file or folder with what is mounted in it, for ``attach_tree``: it stays
    valid whatever is mounted over ``source``."""
    flags = _TREE_CLONE | _AT_RECURSIVE | os.O_CLOEXEC
    handle: int = _libc.syscall(_OPEN_TREE, _AT_FDCWD, source.encode(), flags)
    _check(min(handle, 0), f"mount of {source}")
    return handle


def attach_tree(handle: int, target: str) -> None:
    """Show a cloned tree at ``target``."""
    result = _libc.syscall(_MOVE_MOUNT, handle, b"", _AT_FDCWD, target.encode(), _MOVE_EMPTY_PATH)
    _check(result, f"mount {target}")


def make_mounts_private() -> None:
    """Mounts of this namespace stay in it."""
    _check(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount /")


def make_read_only(target: str) -> None:
    """Of one mount, not of those within it."""
    attributes = struct.pack("=QQQQ", _ATTR_READ_ONLY, 0, 0, 0)
    result = _libc.syscall(
        _MOUNT_SETATTR, _AT_FDCWD, target.encode(), 0, attributes, len(attributes)
    )
    _check(result, f"read-only mount {target}")


def mount_tmpfs(target: str) -> None:
    """An empty file system in memory at a folder."""
    options = b"mode=755"
    _check(_libc.mount(b"tmpfs", target.encode(), b"tmpfs", 0, options), f"mount {target}")


def change_root(folder: str, old: str) -> None:
    """Make a mount the root of this mount namespace; ``old`` is a folder in it, which goes."""
    above = f"{folder}{old}".encode()
    _check(_libc.syscall(_PIVOT_ROOT, folder.encode(), above), f"pivot_root {folder}")
    os.chdir("/")
    _check(_libc.umount2(old.encode(), _MNT_DETACH), f"umount {old}")
    os.rmdir(old)  # noqa: PTH106


def set_hostname(name: str) -> None:
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


# -- user namespace -----------------------------------------------------------------------------


def map_ids(pid: int) -> None:
    """Give a process's new user namespace its ids: every user keeps the number that it has.

    Root maps all that it has itself; another user can map itself only.
    """
    if os.geteuid() == 0:
        _write(pid, "uid_map", _own_ids("uid_map"))
        _write(pid, "gid_map", _own_ids("gid_map"))
        return
    _write(pid, "setgroups", "deny")
    _write(pid, "uid_map", f"{os.geteuid()} {os.geteuid()} 1\n")
    _write(pid, "gid_map", f"{os.getegid()} {os.getegid()} 1\n")


def _own_ids(file: str) -> str:
    """Each range of this process's own user namespace, mapped to itself."""
    with open(f"/proc/self/{file}", encoding="ascii") as own:  # noqa: PTH123
        ranges = [line.split() for line in own]
    return "".join(f"{first} {first} {count}\n" for first, _, count in ranges)


def _write(pid: int, file: str, text: str) -> None:
    handle = os.open(f"/proc/{pid}/{file}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


# -- privileges ---------------------------------------------------------------------------------


def reduce_capabilities(kept: frozenset[int], *, ambient: frozenset[int] = frozenset()) -> None:
    """Keep only some capabilities, now and after ``exec``; nothing can add any to them.

    ``ambient`` ones are kept by ``exec`` whoever the user is; ``kept`` ones only for root. Do
    this before the user is changed.
    """
    kept = kept | ambient
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in kept:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL: not in this kernel
    mask, inheritable = _mask(kept & _permitted()), _mask(ambient)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    data = b"".join(
        struct.pack("=III", *(m >> shift & 0xFFFFFFFF for m in (mask, mask, inheritable)))
        for shift in (0, 32)
    )
    _check(_libc.capset(header, data), "capset")
    for capability in ambient:
        _check(_libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, capability, 0, 0), "prctl ambient")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl no_new_privs")


def become(user: int, group: int | None, groups: Sequence[int]) -> None:
    """Change the user of this process for good. Without a group it is in root's, as a container
    whose image names none."""
    os.setgroups([*groups])
    os.setgid(group or 0)
    os.setuid(user)


def _mask(capabilities: frozenset[int]) -> int:
    return sum(1 << capability for capability in capabilities)


def _permitted() -> frozenset[int]:
    header, data = struct.pack("=Ii", _CAPABILITY_VERSION, 0), ctypes.create_string_buffer(24)
    _check(_libc.capget(header, data), "capget")
    words = struct.unpack("=6I", data.raw)
    mask = words[1] | words[4] << 32
    return frozenset(c for c in range(64) if mask >> c & 1)


# -- creation -----------------------------------------------------------------------------------


def create(
    prepare: Callable[[], None],
    kinds: tuple[str, ...],
    complete: Callable[[int], None] | None = None,
) -> list[int]:
    """Open files of the namespaces that a forked child is in once ``prepare`` has run in it.

    ``complete`` is called with the child's pid after ``prepare`` and before they are opened; then
    the child ends. ``kinds`` are names in ``/proc/PID/ns``. Raises StepFailed with whatever failed
    in the child.
    """
    result, result_writer = os.pipe()
    release, release_writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release_writer)
        _run_child(prepare, result_writer, release)
    os.close(result_writer)
    os.close(release)
    try:
        _raise_failure(_read_all(result))
        if complete is not None:
            complete(pid)
        return [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in kinds]
    finally:
        os.close(result)
        os.close(release_writer)
        os.waitpid(pid, 0)


def _run_child(prepare: Callable[[], None], result: int, release: int) -> None:
    """In the child: report, then stay until the parent has opened the namespaces."""
    try:
        try:
            prepare()
            message = b"ok"
        except StepFailed as error:
            message = f"{error.step}\0{error.errno}\0{error.strerror}".encode()
        except OSError as error:
            message = f"set-up\0{error.errno}\0{error.strerror}".encode()
        os.write(result, message)
        os.close(result)
        os.read(release, 1)
    finally:
        os._exit(0)


def _read_all(handle: int) -> bytes:
    data = b""
    while part := os.read(handle, 4096):
        data += part
    return data


def _raise_failure(message: bytes) -> None:
    if message == b"ok":
        return
    if not message:
        raise StepFailed("set-up", OSError(errno.ECHILD, "the process that makes it was killed"))
    name, number, text = message.decode().split("\0")
    raise StepFailed(name, OSError(int(number), text))
