"""Many runs of lessons: a grid of parameters, run to its end whatever happens, and one page."""
