"""A machine that does not allow pods: the first step that fails is named, with its remedy."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meshproof.host import pod_support

TRY = """
import json, sys
sys.path.insert(0, {root!r})
from meshproof.host import namespaces, pod_namespaces
{before}
try:
    pod_namespaces.PodNamespaces(dns_port=2, inbound_port=3, mesh_handle=100)
    print(json.dumps(None))
except namespaces.StepFailed as error:
    print(json.dumps([error.step, error.errno, error.strerror]))
"""
DENY_UNSHARE = """
import ctypes, struct
deny = [(0x20, 0, 0, 0), (0x15, 0, 1, 272), (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *i) for i in deny))
filter = struct.pack("@HP", len(deny), ctypes.addressof(program))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0
"""
NO_NAMESPACES_LEFT = """
import os
user = os.geteuid()
namespaces.unshare(namespaces.NEW_USER)
own = f"{{user}} {{user}} 1"
for file, text in (("setgroups", "deny"), ("uid_map", own), ("gid_map", own)):
    open(f"/proc/self/{{file}}", "w").write(text)
open("/proc/sys/user/max_{kind}_namespaces", "w").write("0")
"""


def attempt(before: str) -> Any:
    code = TRY.format(root=str(Path(__file__).parents[2]), before=before)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def pods_possible() -> None:
    if (failed := attempt("")) is not None:
        pytest.skip(f"no pods on this machine: {failed}")


@pytest.mark.usefixtures("pods_possible")
def test_a_seccomp_filter_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    step, number, text = attempt(DENY_UNSHARE)
    assert (step, number) == ("user namespace", errno.EPERM)
    monkeypatch.setattr(pod_support, "_is_filtered", lambda: True)
    message = pod_support.explain(step, number, text)
    assert message.startswith("user namespace: ")
    assert "seccomp=unconfined" in message


@pytest.mark.usefixtures("pods_possible")
@pytest.mark.parametrize("kind", ["user", "net", "uts", "mnt"])
def test_a_limit_on_namespaces_is_named(kind: str) -> None:
    step, number, text = attempt(NO_NAMESPACES_LEFT.format(kind=kind))
    steps = {"user": "user namespace", "net": "network namespace", "uts": "host name"}
    assert (step, number) == (steps.get(kind, "mount namespace"), errno.ENOSPC)
    assert "max_user_namespaces" in pod_support.explain(step, number, text)


def test_ubuntus_apparmor_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting = tmp_path / "setting"
    setting.write_text("1\n")
    monkeypatch.setattr(pod_support, "_APPARMOR", setting)
    message = pod_support.explain("id map", errno.EPERM, "Operation not permitted")
    assert "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in message


def test_an_old_wsl_kernel_is_named() -> None:
    assert "wsl --update" in pod_support.explain("nat", errno.ENOENT, "No such file")
