"""A running mesh as one live page. Pure: counts, graph, history, replicas, traces, view. Effects:
source, log_tail, server, launch."""
