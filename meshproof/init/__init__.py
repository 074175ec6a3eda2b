"""A first ``meshproof.yaml`` out of somebody's manifests: what can be known, and TODOs. Pure."""
