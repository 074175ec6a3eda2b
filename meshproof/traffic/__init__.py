"""Load: Locust in a process of its own, and a record of every request."""
