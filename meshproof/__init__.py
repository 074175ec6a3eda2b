"""Proves that a service mesh does what its rules say."""
