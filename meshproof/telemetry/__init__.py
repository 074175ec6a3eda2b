"""Spans, metrics and access logs: stores, formats and queries."""
