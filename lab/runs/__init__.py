"""Runs: the recipe that determines one, the store that keeps it, the sweep that makes it, and its exports."""
