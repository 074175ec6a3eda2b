"""The control socket of a running mesh: server, client, and what travels between them."""
