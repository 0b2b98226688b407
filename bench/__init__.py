"""Measures the product next to a hand-written minimum on the same machine; see README.md."""
