"""Learners: models that answer from a context without a weight update.

`catalogue` and `load` bring a model, `asking` makes requests of prompts, `plan` decides which forward passes
answer them, `passes` runs those on a cache that `forking` shares, `whole` is the way without a cache.
"""
