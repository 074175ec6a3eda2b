"""Walking a page: where it is true, and where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.walk.document import parse
from meshproof.walk.run import walk
from meshproof.walk.session import Session

ROOT = Path(__file__).parents[2]
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
        [sys.executable, "-m", "meshproof.walk", "page.md"],
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
