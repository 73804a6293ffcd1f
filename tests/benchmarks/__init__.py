"""Comparisons that print a table; `python -m tests.benchmarks` runs them all."""
