"""Python scripts and notebooks, read without running them: what they would load, set, call, and in which order."""
