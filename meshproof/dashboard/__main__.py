"""``python -m meshproof.dashboard NAME FD RULES``: started by ``launch.beside``, by nobody else."""

from __future__ import annotations

import sys
from pathlib import Path

from meshproof.dashboard.launch import child

if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
