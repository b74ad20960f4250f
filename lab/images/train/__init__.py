"""Train every weight of the embedded image model from nothing: `python -m lab.images.train`."""

COMMAND = "python -m lab.images.train"
"""Makes a part, named after it."""
