"""The mesh on Kubernetes with Istio, by kind, kubectl, istioctl and docker."""
