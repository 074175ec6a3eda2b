"""svcb hands notifications at /notify on to msgd, outside the mesh."""
