"""Walking a page: where it is true, and where it is not."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

ROOT = Path(__file__).parents[3]
TRUE = """\
# Numbers

<!-- run: save as numbers -->
```text
1
2
```

One by one:

```console
$ cat numbers
1
2
```

<!-- run: exit 1 -->
```console
$ grep 3 numbers
```

<!-- run: on kind -->
```console
$ no-such-command
```
"""
FALSE = TRUE.replace("$ cat numbers\n1\n", "$ cat numbers\n7\n").replace("exit 1", "exit 2")


def failures(text: str, folder: Path, kind: str = "embedded") -> list[str]:
    with Session(folder) as session:
        return [str(f) for f in walk(parse(text, "page.md"), session, kind)]


def test_a_true_page(tmp_path: Path) -> None:
    assert failures(TRUE, tmp_path) == []


def test_every_untruth_is_told_with_its_line(tmp_path: Path) -> None:
    first, second = failures(FALSE, tmp_path)
    assert first.splitlines()[0] == "page.md:12: $ cat numbers"
    assert first.splitlines()[-3:] == ["-7", "+1", " 2"]
    assert second == "page.md:19: $ grep 3 numbers\nexit code 1; the page says 2"


def test_steps_for_another_mesh_are_run_there(tmp_path: Path) -> None:
    (only,) = failures(TRUE, tmp_path, "kind")
    assert "exit code 127; the page says 0" in only


@pytest.mark.parametrize(("text", "code"), [(TRUE, 0), (FALSE, 1)])
def test_walking_from_the_command_line(tmp_path: Path, text: str, code: int) -> None:
    (tmp_path / "page.md").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "tools.doc_runner", "page.md"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "One by one:\n\n$ cat numbers\n1\n2\n" in done.stdout
    assert ("page.md:12: not as shown\n" in done.stderr) == (code == 1)


def on_a_terminal(folder: Path, keys: str) -> tuple[int, str]:
    """Walk page.md with a terminal on all sides; the keys are typed at once."""
    (folder / "page.md").write_text(TRUE)
    ours, theirs = pty.openpty()
    try:
        walker = subprocess.Popen(
            [sys.executable, "-m", "tools.doc_runner", "page.md"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
    finally:
        os.close(theirs)
    os.write(ours, keys.encode())
    output = b""
    with contextlib.suppress(OSError):  # so Linux says that the other side is closed
        while part := os.read(ours, 1 << 16):
            output += part
    os.close(ours)
    return walker.wait(300), output.decode().replace("\r\n", "\n")


def test_on_a_terminal_it_waits_before_each_step(tmp_path: Path) -> None:
    code, output = on_a_terminal(tmp_path, "\n\n\n")
    assert code == 0
    assert [f"[{n}/3] Enter runs it" in output for n in (1, 2, 3)] == [True, True, True]
    assert "1\n2\n" in output.partition("[2/3]")[2]


def test_q_ends_the_walk_before_the_step(tmp_path: Path) -> None:
    code, output = on_a_terminal(tmp_path, "\nq\n")
    assert (code, (tmp_path / "numbers").exists()) == (0, True)
    assert "[3/3]" not in output
    assert output.endswith("ended; the meshes of this walk are down\n")
