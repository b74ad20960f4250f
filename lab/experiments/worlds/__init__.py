"""Experiments on tiny worlds: a learner is trained in seconds, then asked under every layout."""
