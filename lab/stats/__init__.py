"""Statistics of a predictions table, used by every domain of the lab.

- `flips`: which queries change their answer between layouts, and how
- `comparisons`: paired tests of layouts, corrected for how many there are
- `intervals`: Wilson and paired bootstrap intervals
- `power`: the smallest difference that a number of queries can show
- `floor`: flips that batching alone produces, and near-ties
- `calibration`: label scores corrected for a bias of the context
- `orders`: what the order of the demonstrations does
- `variance`: how much of the variation each factor explains
- `verdict`: results as plain sentences
"""
