"""In-context vision: a picture is answered by examples of pictures with their masks; no weight changes."""
