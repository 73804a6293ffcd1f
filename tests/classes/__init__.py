"""A class made by a script: what forty students hand in, and what each of them is to get for it."""

from .answers import answers_to, asked_in
from .faults import BROKE_OUT, FAULTS, Fault
from .writing import DUE, Expected, HandedIn, solved, write_class, write_spoiled

__all__ = [
    "BROKE_OUT",
    "DUE",
    "FAULTS",
    "Expected",
    "Fault",
    "HandedIn",
    "answers_to",
    "asked_in",
    "solved",
    "write_class",
    "write_spoiled",
]
