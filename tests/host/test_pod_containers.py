"""What a process has in a pod: volumes, a read-only root, another user, fewer rights."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from meshproof.host.pods import Pods
from tests.host.conftest import PodScript, Run, output

WHOLE_STATUS = ("cat", "/proc/self/status")


def parse_status(text: str) -> dict[str, str]:
    return dict(line.split(":\t") for line in text.splitlines())


def test_volumes_are_at_their_real_paths_and_this_machine_stays_as_it_is(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        volume, staging = run.folder / "volume", run.folder / "staging"
        volume.mkdir()
        staging.mkdir()
        (volume / "menu.json").write_text("soup")
        mounts = [
            (str(volume), "/meshproof-data"),
            (str(volume / "menu.json"), "/etc/meshproof-shop/menu/today.json"),
            (str(volume), "/mnt"),
        ]
        code = (
            "cat /meshproof-data/menu.json /etc/meshproof-shop/menu/today.json /mnt/menu.json; "
            "test -e /etc/passwd && test -d /usr/bin && test -e /proc/self/stat && echo +; "
            "echo fish > /meshproof-data/new; ls -a / | grep old-root"
        )
        more = {"pod": "a", "mounts": mounts, "staging": str(staging)}
        assert await output(run, "app", "sh", "-c", code, **more) == "soupsoupsoup+\n"
        assert (volume / "new").read_text() == "fish\n"
        assert not Path("/meshproof-data").exists()
        assert not Path("/etc/meshproof-shop").exists()
        assert not list(staging.iterdir())

    in_pods(script)


def test_a_root_file_system_may_be_read_only_but_for_volumes(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        volume, staging = run.folder / "volume", run.folder / "staging"
        volume.mkdir()
        staging.mkdir()
        code = (
            "echo a > /meshproof-data/a && echo a > /var/run/meshproof-data/b && echo volumes; "
            "echo a > /dev/null && echo devices; "
            f"for at in / /etc /tmp {run.folder}; do "
            "echo a 2>/dev/null > $at/meshproof-a && echo $at; done; true"
        )
        places = ("/meshproof-data", "/var/run/meshproof-data")  # one of them by a link
        more = {"mounts": [(str(volume), p) for p in places], "staging": str(staging)}
        seen = await output(run, "app", "sh", "-c", code, pod="a", read_only=True, **more)
        assert seen == "volumes\ndevices\n"
        assert (volume / "a").exists()
        bare = await output(
            run, "bare", "sh", "-c", "echo a > /tmp/a || echo no", pod="a", read_only=True
        )
        assert bare.endswith("no\n")
        (run.folder / "writable").write_text("")

    in_pods(script)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_process_may_have_another_user_and_fewer_rights(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        other = {"user": 1234, "group": 77, "groups": [88], "dropped": list(range(41))}
        status = parse_status(await output(run, "other", *WHOLE_STATUS, pod="a", **other))
        assert status["Uid"].split()[:2] == ["1234", "1234"]
        assert status["Gid"].split()[0] == "77"
        assert status["Groups"].split() == ["88"]
        assert int(status["CapPrm"], 16) == 0
        root = parse_status(await output(run, "root", *WHOLE_STATUS, pod="a", dropped=[0, 7]))
        assert int(root["CapBnd"], 16) & (1 << 0 | 1 << 7) == 0
        assert int(root["CapPrm"], 16) & 1 << 6

    in_pods(script)


def test_a_volume_may_hide_the_folder_that_a_process_starts_in(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        project, volume = run.folder / "above" / "project", run.folder / "volume"
        project.mkdir(parents=True)
        volume.mkdir()
        (project / "menu").write_text("soup")
        mounts = [(str(volume), str(run.folder / "above"))]
        more = {"cwd": str(project), "mounts": mounts, "staging": str(run.folder)}
        assert await output(run, "app", "cat", "menu", pod="a", **more) == "soup"

    in_pods(script)


def test_a_volume_that_cannot_be_mounted_is_said_in_the_processs_own_log(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        more = {"pod": "a", "mounts": [("/not/there", "/mnt")], "staging": str(run.folder)}
        with pytest.raises(MeshproofError, match="not started"):
            await run.supervisor.spawn(run.spec("app", "true", **more))
        assert "joining the pod: [Errno 2] mount of /not/there" in run.log("app")

    in_pods(script)
