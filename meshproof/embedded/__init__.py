"""The mesh on this machine: one real Envoy beside every replica."""
