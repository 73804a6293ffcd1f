"""What instructors and CI run."""
