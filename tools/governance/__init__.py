"""docs/governance.md: its rows are written by hand, its figures come from reports of runs."""
