"""Which figures a run shows: all that its tables allow, each with a title, also for a small table."""

import pandas as pd
import plotly.graph_objects as go
import pytest
from position_run import keep_position_run, params_of

from lab.experiments import position
from lab.experiments.drawing import factorial_figures, order_figures, position_figures, protocol_figures
from lab.experiments.views import split_controls
from lab.runs.store import Store
from lab.stats.comparisons import accuracy_table
from lab.stats.variance import decompose


@pytest.fixture
def store(own_lab_home) -> Store:
    return Store()


def titled(figures: dict) -> bool:
    return all(isinstance(each, go.Figure) and each.layout.title.text for each in figures.values())


def test_a_position_run_has_four_figures_with_titles(store):
    keep_position_run(store)
    figures = position.read(params_of(), store).figures
    assert list(figures) == ["Accuracy", "Prediction change", "Transitions", "Margins"]
    assert titled(figures)


def test_transitions_go_to_the_layout_with_the_most_flips(store):
    keep_position_run(store)
    title = position.read(params_of(), store).figures["Transitions"].layout.title.text
    assert "From sum to eum" in title


def test_a_single_layout_has_only_its_accuracy(store):
    asked, _, _ = split_controls(store.predictions(keep_position_run(store)))
    alone = asked[asked["layout"] == "sum"]
    assert list(position_figures(alone, accuracy_table(alone), [], "sum", None)) == ["Accuracy"]


def test_written_answers_have_orders_and_no_entropy():
    orders = pd.DataFrame(
        {"layout": ["sum@0-1", "sum@1-0"], "order": ["0-1", "1-0"], "accuracy": [0.25, 0.75]}
    )
    figures = order_figures({"orders": orders}, "sum", None, 0.5, None)
    assert list(figures) == ["Orders"]
    assert "between 25% and 75%" in figures["Orders"].layout.title.text.replace("<br>", " ")


def test_the_held_out_figure_has_the_interval_of_both_orders():
    orders = pd.DataFrame({"layout": ["sum@0-1"], "order": ["0-1"], "accuracy": [0.5]})
    held_out = {"n": 8, "metric_reference": 0.5, "metric_layout": 0.75, "metric_change": 0.25}
    figure = order_figures({"orders": orders}, "sum", 0.6, 0.5, held_out)["Held-out"]
    assert sorted(figure.data[0].x) == [0.5, 0.75]
    assert "+25.0 points" in figure.layout.title.text.replace("<br>", " ")


def test_factorial_and_protocol_figures_have_titles():
    cells = [(slot, order, slot == "sum" and order == 0) for slot in ("sum", "eum") for order in (0, 1)]
    table = pd.DataFrame(cells, columns=["slot", "order", "accuracy"]).astype({"accuracy": float})
    split = decompose(table, ["slot", "order"], "accuracy")
    assert titled(factorial_figures({"variance": split, "variance_with_queries": split}))
    accuracies = pd.DataFrame(columns=["layout", "accuracy_change", "task"])
    assert titled(protocol_figures(accuracies))
