"""``python -m meshproof.cli``."""

from meshproof.cli.main import main

main()
