"""pytest fixtures of the harness; see below."""
