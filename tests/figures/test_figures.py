"""Figures are built from real tables of a small, hand-made predictions table."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from lab import figures
from lab.stats.comparisons import accuracy_table, compare_layouts
from lab.stats.flips import transitions
from lab.stats.floor import Floor
from lab.stats.orders import influence, order_table
from lab.stats.variance import decompose

# Right or wrong ("r", "w") or unparsed ("?") of four queries under three layouts, gold "a" throughout.
ANSWERS = {"none": "rrww", "sum": "rwrw", "eum": "rww?"}
LABELS = ("a", "b<i>")


def predictions(answers: dict[str, str] = ANSWERS) -> pd.DataFrame:
    rows = []
    for layout, marks in answers.items():
        for place, mark in enumerate(marks):
            margin = 0.25 * (place + 1)
            said = {"r": "a", "w": "b<i>", "?": ""}[mark]
            best, other = np.log(0.6), np.log(0.4)
            scores = {"logp_a": best if mark == "r" else other, "logp_b<i>": other if mark == "r" else best}
            row = {"run_id": "r", "query_id": f"q{place}", "layout": layout, "prediction": said, "gold": "a"}
            rows.append(
                {
                    **row,
                    "correct": float(mark == "r"),
                    "margin": margin,
                    **scores,
                    "n_tokens": 9,
                    "seconds": 0.1,
                }
            )
    return pd.DataFrame(rows)


def title(figure: go.Figure) -> str:
    return figure.layout.title.text.replace("<br>", " ")


def comparisons() -> pd.DataFrame:
    return pd.DataFrame([asdict(each) for each in compare_layouts(predictions(), "none")])


def order_predictions() -> pd.DataFrame:
    return predictions({"sum@0-1": "rrww", "sum@1-0": "rwww"})


def all_figures() -> dict[str, go.Figure]:
    table, orders = predictions(), order_table(order_predictions())
    accuracy = pd.DataFrame(
        {"slot": ["sum", "eum"] * 2, "order": [0, 0, 1, 1], "accuracy": [0.5, 0.25, 0.75, 0.5]}
    )
    pulls = influence(order_predictions(), {"sum@0-1": LABELS, "sum@1-0": LABELS[::-1]})
    return {
        "accuracy": figures.accuracy_bars(accuracy_table(table)),
        "changes": figures.prediction_change_bars(comparisons(), Floor(32, 0, 0.0, 0.107, 0.0)),
        "flows": figures.transitions_sankey(table, ["none", "sum", "eum"]),
        "margins": figures.margin_flip_curve(transitions(table, "none", "sum")),
        "orders": figures.order_distribution(orders, 0.8, 0.5, n=4),
        "entropy": figures.entropy_scatter(orders),
        "influence": figures.influence_curve(pulls),
        "variance": figures.variance_bars(decompose(accuracy, ["slot", "order"], "accuracy")),
        "tasks": figures.accuracy_by_task(accuracy_table(table).assign(task="topic")),
    }


def test_every_figure_has_a_sentence_keeps_its_zoom_and_lets_the_page_through() -> None:
    for name, figure in all_figures().items():
        assert len(title(figure).split()) > 4, name
        assert figure.layout.uirevision == "constant", name
        assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)", name
        figure.to_json()


def test_every_figure_tells_n_in_its_hover() -> None:
    for name, figure in all_figures().items():
        if name in ("entropy",):  # its points are orders, not queries
            continue
        hover = "".join(
            str(trace.hovertemplate or "") + str(trace.hovertext or "")
            if trace.type != "sankey"
            else trace.link.hovertemplate
            for trace in figure.data
        )
        assert "n = " in hover, name


def test_empty_tables_say_what_is_missing() -> None:
    empty = pd.DataFrame()
    found = [
        figures.accuracy_bars(empty),
        figures.prediction_change_bars(empty),
        figures.transitions_sankey(empty, ["none", "sum"]),
        figures.margin_flip_curve(empty),
        figures.order_distribution(empty),
        figures.entropy_scatter(empty),
        figures.influence_curve(empty),
        figures.variance_bars(empty),
        figures.accuracy_by_task(empty),
    ]
    for figure in found:
        assert not figure.data
        assert len(figure.layout.annotations[0].text) > 20


def test_an_accuracy_that_is_everywhere_the_same_is_said_once() -> None:
    table = accuracy_table(predictions()).assign(metric=0.5)
    assert "50% under every layout" in figures.accuracy_bars(table).layout.title.text


def test_accuracy_points_are_the_metrics_with_their_intervals() -> None:
    table = accuracy_table(predictions())
    points = figures.accuracy_bars(table).data[0]
    assert list(points.y) == ["eum", "sum", "none"]
    assert list(points.x) == [0.25, 0.5, 0.5]
    np.testing.assert_allclose(points.x + points.error_x.array, table["high"][::-1])


def test_flips_by_kind_add_up_to_prediction_change() -> None:
    figure = figures.prediction_change_bars(comparisons())
    # none rrww -> sum rwrw: one broken, one fixed; -> eum rww?: one broken, one other.
    bars = {trace.name: list(trace.x) for trace in figure.data if trace.type == "bar"}
    assert bars == {"right→wrong": [0.25, 0.25], "wrong→right": [0.0, 0.25], "other flips": [0.25, 0.0]}
    assert title(figure) == "Moving from none to sum flips 50% of the answers"


def test_sankey_counts_queries_by_state_and_kind() -> None:
    link = figures.transitions_sankey(predictions(), ["none", "eum"]).data[0].link
    assert sorted(zip(link.customdata, link.value, strict=True)) == [
        ("right→wrong", 1),
        ("same", 1),
        ("same", 1),
        ("wrong→other wrong", 1),
    ]


def test_sankey_leaves_out_queries_that_are_half_answered() -> None:
    partial = predictions().iloc[:-2]
    assert sum(figures.transitions_sankey(partial, ["none", "eum"]).data[0].link.value) == 2


def test_sankey_refuses_other_than_two_or_three_layouts() -> None:
    with pytest.raises(ValueError, match="must be 2 or 3, got 1"):
        figures.transitions_sankey(predictions(), ["none"])


def test_unsure_answers_come_first_in_the_margin_curve() -> None:
    table = pd.DataFrame({"margin_from": [0.1] * 8 + [2.0] * 8, "kind": ["right→wrong"] * 8 + ["same"] * 8})
    figure = figures.margin_flip_curve(table)
    assert list(figure.data[0].y) == [1.0, 0.0]
    assert title(figure) == "Unsure answers flip in 100% of the cases, sure ones in 0%"


def test_equal_accuracies_pile_up() -> None:
    table = pd.DataFrame(
        {"layout": ["sum@0", "sum@1", "sum@2"], "order": ["0", "1", "2"], "accuracy": [0.5, 0.5, 0.7]}
    )
    assert list(figures.order_distribution(table).data[0].y) == [1, 2, 1]


def test_labels_of_a_stranger_are_shown_as_text() -> None:
    names = [trace.name for trace in all_figures()["influence"].data]
    assert names == ["a", "b&lt;i&gt;"]


def test_largest_share_of_variance_stands_on_top_and_the_rest_below() -> None:
    table = decompose(
        pd.DataFrame({"slot": [0, 0, 1, 1], "order": [0, 1, 0, 1], "accuracy": [0.1, 0.2, 0.7, 0.8]}),
        ["slot", "order"],
        "accuracy",
    )
    bars = figures.variance_bars(table).data[0]
    assert bars.y[-1] == "slot"
    assert bars.y[0] == "rest (not explained)"
