"""What the Envoys are configured from: the world, certificates, drained listeners."""
