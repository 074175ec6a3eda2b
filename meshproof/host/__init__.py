"""Processes, sockets, folders and names on this machine, and the supervisor."""
