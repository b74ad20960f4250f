import pandas as pd

from lab.figures import sweep_map

ROWS = [
    {"n_classes": n, "p_bursty": p, "seed": seed, "right": value}
    for (n, p), values in {
        (32, 0.0): (0.02, 0.04, 0.9),
        (2048, 0.0): (0.5, 0.5, 0.5),
        (32, 1.0): (0.3, 0.2, 0.1),
        (2048, 1.0): (0.99, 0.92, 0.1),
    }.items()
    for seed, value in enumerate(values)
]
AXES = (("n_classes", "Classes"), ("p_bursty", "Bursty share"))


def test_each_cell_holds_the_median_over_seeds_and_the_title_counts_them():
    figure = sweep_map(pd.DataFrame(ROWS), *AXES, "right", "new classes")
    (drawn,) = figure.data
    assert drawn.z.tolist() == [[0.04, 0.5], [0.2, 0.92]]
    assert (list(drawn.x), list(drawn.y)) == (["32", "2,048"], ["0", "1"])
    assert drawn.customdata[1][1] == "10% to 99% over 3 seeds"
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == "New classes: over 90% in 1 of 4 cells, under 10% in 1"
