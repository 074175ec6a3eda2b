"""Measures what a mesh costs, beside the targets: ``make bench`` or ``python -m bench [PART]...``.

One file a measurement; each returns figures (``bench.figures``), and knows meshproof only by its
public contract and by /proc.
"""
