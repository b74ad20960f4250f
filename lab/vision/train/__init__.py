"""Train every weight of in-context vision from nothing: `python -m lab.vision.train`."""

COMMAND = "python -m lab.vision.train"
"""Makes a part, named after it."""
