"""Routes of the control socket, a module a subject."""
