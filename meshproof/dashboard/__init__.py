"""A running mesh as one live page: graph, split, rules, traces, log.

Pure: graph, history, replicas, view. Effects: serve, server, poller, launch, log_tail.
"""
