"""Kubernetes and Istio resources as typed, closed models. Pure."""
