"""One replica: its containers, volumes, probes, sidecar, and their life."""
