"""How many replicas a HorizontalPodAutoscaler wants, by Kubernetes' own arithmetic. Pure."""
