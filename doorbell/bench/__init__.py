"""Measurements against references: each in a process of its own, ours and the reference by turns."""
