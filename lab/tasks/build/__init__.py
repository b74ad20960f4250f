"""Build the word-relation and reasoning tasks: `python -m lab.tasks.build`.

Question: where does every row of these eight task files come from?
Source: the hand-written lists in this folder and the packages named in
LICENCES.md; nothing is downloaded.
"""
