"""The one error that a lesson shows as a sentence instead of a traceback."""


class CourseError(ValueError):
    """Something outside the course's code is wrong: a parameter, a file, an argument.

    Its message is one sentence that says what was wrong, where, and what to do. Jupyter shows
    that sentence alone.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]
