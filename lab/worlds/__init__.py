"""Tiny worlds: models small enough to grow while one watches, and to take apart afterwards.

A world is one file: what its sequences are, how a learner reads them, what is measured, and the exact answers
it is compared with. `core` holds the learners; it imports torch and is itself imported where it is used.
"""
