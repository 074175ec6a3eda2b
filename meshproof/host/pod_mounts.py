"""A container's volumes at their real paths, in the mount namespace of its process.

A place that this machine does not have is made without touching its folders: the folder above it is
shadowed by a tmpfs that shows everything the folder has, and the new place. Runs in a child before
``exec``, with every capability in the pod's user namespace; imports the standard library only.
"""

from __future__ import annotations

import errno
import os
import stat

from meshproof.host import namespaces as ns

_OLD = ".meshproof-old-root"
_WRITABLE = ("/dev", "/proc", "/sys")


def mount_all(mounts: list[list[str]], staging: str) -> None:
    """Show each source (a file or a folder) at its place, for this process and those it starts.

    ``mounts`` are pairs of source and place, outer places first. ``staging`` is an empty folder of
    this user's, where a new root is put together if one is needed.
    """
    ns.unshare(ns.NEW_MOUNT)
    ns.make_mounts_private()
    sources = [(ns.clone_tree(source), place) for source, place in mounts]
    for source, place in sources:
        folder = stat.S_ISDIR(os.fstat(source).st_mode)
        if not os.path.exists(place):  # noqa: PTH110  (pathlib is slow to import)
            _make_place(place, folder, staging)
        ns.attach_tree(source, place)
        os.close(source)


def make_read_only(places: list[str]) -> None:
    """Make every mount read-only but those at ``places``, and what the kernel and devices have."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:  # noqa: PTH123
        points = [line.split()[4].encode().decode("unicode_escape") for line in table]
    places = [os.path.realpath(place) for place in places]
    for point in points:
        kept = point in places or any(
            point == top or point.startswith(f"{top}/") for top in _WRITABLE
        )
        if not kept:
            try:
                ns.make_read_only(point)
            except OSError as error:  # it is hidden by another mount
                if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                    raise


def _make_place(place: str, folder: bool, staging: str) -> None:
    parent = os.path.dirname(place)  # noqa: PTH120
    existing = parent
    while not os.path.isdir(existing):  # noqa: PTH112
        existing = os.path.dirname(existing)  # noqa: PTH120
    _shadow(os.path.realpath(existing), staging)
    os.makedirs(place if folder else parent, exist_ok=True)  # noqa: PTH103
    if not folder:
        _touch(place)


def _shadow(folder: str, staging: str) -> None:
    """Put a tmpfs over a folder that shows what the folder has."""
    original = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    target = staging if folder == "/" else folder
    ns.mount_tmpfs(target)
    for entry in os.scandir(original):
        _show(f"/proc/self/fd/{original}/{entry.name}", f"{target}/{entry.name}", entry)
    os.close(original)
    if folder == "/":
        os.mkdir(f"{target}/{_OLD}")  # noqa: PTH102
        ns.change_root(target, f"/{_OLD}")


def _show(source: str, place: str, entry: os.DirEntry[str]) -> None:
    """One entry of a shadowed folder: links as they are, the rest bound; what cannot be is left
    out."""
    try:
        if entry.is_symlink():
            os.symlink(os.readlink(source), place)  # noqa: PTH115, PTH211
            return
        if entry.is_dir():
            os.mkdir(place)  # noqa: PTH102
        else:
            _touch(place)
        ns.bind_mount(source, place)
    except OSError:
        return


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
