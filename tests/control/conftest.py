"""A fake mesh, served on a real socket."""

from __future__ import annotations

from tests.fakes.served_mesh import client, ended, fake

__all__ = ["client", "ended", "fake"]
