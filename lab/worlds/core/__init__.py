"""The learners of the tiny worlds: a transformer, a recurrent arm, and the places to touch them at."""
