"""msgd keeps messages, each once, and can be asked for them."""
