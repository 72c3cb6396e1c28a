"""Measurements against references, each in one process and interleaved."""
