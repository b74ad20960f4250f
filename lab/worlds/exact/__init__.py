"""What is known without learning: exact answers, closed forms, and models of a few numbers."""
