"""``python -m meshproof.dashboard NAME FD RULES``: what ``launch.run_beside`` starts."""

from __future__ import annotations

import sys
from pathlib import Path

from meshproof.dashboard.launch import run_child

if __name__ == "__main__":
    run_child(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
