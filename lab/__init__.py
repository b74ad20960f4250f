"""In-Context Lab: hold the queries still, rearrange the context, see what flips."""

__version__ = "0.1.0"
