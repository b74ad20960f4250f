"""The Vision tab, a module for each of its inner tabs."""
