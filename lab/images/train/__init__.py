"""Train every weight of the embedded image model from nothing: `python -m lab.images.train`."""
