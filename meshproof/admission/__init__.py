"""The one way in for both meshes: decode, refuse, lower Istio 0.4, lint."""
