"""Grading a class: submissions made gradable, run in a sandbox, judged outside of it."""
