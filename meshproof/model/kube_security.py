"""securityContext of pods and containers, as far as processes in pods have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_fields import SILENT, Ignored, NoEffect

_Id = Annotated[int, Field(ge=0, le=2**31 - 1)]
CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"),
    *("IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"),
    *("LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
"""By number (linux/capability.h)."""
_UNKNOWN_USER = "no user is named here, and those of images are not known: it runs as the caller"


class Capabilities(Model):
    add: Annotated[
        list[str], NoEffect("a process in a pod has a container's own rights at most", ([],))
    ] = []
    drop: list[str] = []

    @property
    def dropped(self) -> frozenset[int]:
        """By number; a name that Linux does not know drops nothing."""
        names = {name.upper().removeprefix("CAP_") for name in self.drop}
        return frozenset(n for n, c in enumerate(CAPABILITIES) if "ALL" in names or c in names)


class _Users(Model):
    run_as_user: _Id | None = None
    run_as_group: _Id | None = None
    run_as_non_root: bool | None = None
    app_armor_profile: Ignored = None
    se_linux_options: Annotated[Any, NoEffect(), Field(alias="seLinuxOptions")] = None
    seccomp_profile: Annotated[Any, NoEffect("", ({"type": "RuntimeDefault"},))] = None
    windows_options: Ignored = None

    @model_validator(mode="after")
    def _not_root(self) -> Self:
        if self.run_as_non_root and self.run_as_user == 0:
            raise FieldError("is 0, and runAsNonRoot is true; wanted another user", "runAsUser")
        return self


class SecurityContext(_Users):
    """Of a container: its own fields win over the pod's."""

    read_only_root_filesystem: bool = False
    capabilities: Capabilities = Capabilities.empty()
    allow_privilege_escalation: Annotated[
        Any, NoEffect("a process in a pod gains no rights", (False,))
    ] = None
    privileged: Annotated[
        Any, NoEffect("a process in a pod has a container's own rights at most", (False,))
    ] = None
    proc_mount: Annotated[Any, NoEffect("", ("Default",))] = None


class PodSecurityContext(_Users):
    fs_group: _Id | None = None
    supplemental_groups: list[_Id] = []
    fs_group_change_policy: Annotated[Any, SILENT] = None
    supplemental_groups_policy: Annotated[Any, SILENT] = None
    se_linux_change_policy: Annotated[Any, SILENT, Field(alias="seLinuxChangePolicy")] = None
    sysctls: Annotated[Any, NoEffect("", ([],))] = None


@dataclass(frozen=True, slots=True)
class Security:
    """What holds for a container's processes; ``user`` and ``group`` are None where nothing is
    said, ``groups`` are further ones, ``dropped`` capabilities by number."""

    user: int | None
    group: int | None
    groups: tuple[int, ...]
    non_root: bool
    read_only: bool
    dropped: frozenset[int]


def merge_contexts(pod: PodSecurityContext, container: SecurityContext) -> Security:
    def first(field: str) -> Any:
        own = getattr(container, field)
        return getattr(pod, field) if own is None else own

    extra = [*pod.supplemental_groups, *([] if pod.fs_group is None else [pod.fs_group])]
    return Security(
        first("run_as_user"),
        first("run_as_group"),
        tuple(dict.fromkeys(extra)),
        bool(first("run_as_non_root")),
        container.read_only_root_filesystem,
        container.capabilities.dropped,
    )


def find_unheeded_users(
    pod: PodSecurityContext, container: SecurityContext, may_run_as: Callable[[int], bool]
) -> Iterator[tuple[str, str]]:
    """Fields about users that a mesh does not honour, with the reason. It is root's if its
    processes may be root."""
    security = merge_contexts(pod, container)
    if security.user is not None and not may_run_as(security.user):
        where = "on this machine" if may_run_as(0) else "but its own in a mesh that is not root's"
        yield "runAsUser", f"there is no such user {where}: it runs as the caller"
    if security.non_root and security.user is None and may_run_as(0):
        yield "runAsNonRoot", _UNKNOWN_USER
