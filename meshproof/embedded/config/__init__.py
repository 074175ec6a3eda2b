"""What the Envoys are configured from: the world, and certificates."""
