"""Writes a first ``meshproof.yaml`` for existing manifests: guesses, and TODOs. Pure."""
