"""Lets nbgrader's own commands work on this folder, and says what `course release` leaves blank."""

c = get_config()  # noqa: F821  nbgrader's loader puts it there
c.CourseDirectory.course_id = "tape-to-mlp"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.text_stub = "*Write your answer here.*"
