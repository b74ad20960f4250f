"""Training small models: one loop that any step can end, and the record that is written beside weights."""
