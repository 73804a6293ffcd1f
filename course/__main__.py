"""Makes `python -m course` the command `course`."""

from course.cli import main

main(prog_name="course")
