"""Where a cluster comes from: a kind cluster of ours, or a kubeconfig context."""
