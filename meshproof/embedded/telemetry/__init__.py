"""What the mesh reports: access logs, metrics, spans, process usage."""
