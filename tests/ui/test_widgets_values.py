import json

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from lab.ui.theme import CSS, THEME
from lab.ui.tour import head
from lab.ui.widgets.demo_list import DemoList, demos_value
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.plot_click import PlotClick


def predictions() -> pd.DataFrame:
    rows = [
        ("q0", "none", "positive", "positive", 1.0, 0.05),
        ("q0", "sum", "negative", "positive", 0.0, 2.0),
        ("q1", "none", "", "negative", 0.0, np.nan),
    ]
    return pd.DataFrame(rows, columns=["query_id", "layout", "prediction", "gold", "correct", "margin"])


def test_matrix_value_keeps_what_is_answered_and_marks_near_ties() -> None:
    value = matrix_value(predictions(), {"q0": "Fine film"}, "none")
    assert value["columns"] == ["none", "sum"]
    first, second = value["rows"]
    assert (first["text"], second["text"]) == ("Fine film", "q1")
    assert first["cells"]["none"]["near_tie"] and not first["cells"]["sum"]["near_tie"]
    assert list(second["cells"]) == ["none"]
    assert second["cells"]["none"]["margin"] is None


def test_columns_stand_in_the_order_that_is_asked_for() -> None:
    assert matrix_value(predictions(), {}, "none", columns=["eum", "sum"])["columns"] == ["sum", "none"]


def test_generated_answers_that_say_the_same_count_as_the_same() -> None:
    rows = predictions().assign(prediction="The  Mayor.", margin=np.nan)
    assert matrix_value(rows, {}, "none")["rows"][0]["cells"]["sum"]["answer"] == "the mayor"


def test_matrix_value_refuses_two_runs_in_one_table() -> None:
    with pytest.raises(ValueError, match="several predictions"):
        matrix_value(pd.concat([predictions()] * 2), {}, "none")


def test_an_absent_reference_gives_way_to_the_first_layout() -> None:
    assert matrix_value(predictions(), {}, "eum")["reference"] == "none"
    assert matrix_value(predictions().iloc[:0], {}, "eum")["rows"] == []


def test_the_matrix_travels_as_one_text_without_nan() -> None:
    sent = FlipMatrix().postprocess(matrix_value(predictions(), {}, "none"))
    read = json.loads(sent)
    assert read["rows"][0][3] == [["positive", 1.0, 0.05, 1], ["negative", 0.0, 2.0, 0]]
    assert read["rows"][1][3] == [["", 0.0, None, 0], None]
    assert FlipMatrix().postprocess(None) == ""


def test_demonstrations_come_back_as_they_went() -> None:
    demos = DemoList(labels=["a", "b"])
    sent = demos.postprocess(demos_value([{"input": "x", "output": "a"}], ["a", "b"]))
    assert demos.preprocess(sent) == [{"id": "demo-1", "input": "x", "output": "a"}]
    assert demos.preprocess("") == []


def test_demonstrations_from_the_page_are_checked() -> None:
    demos = DemoList(max_items=2)
    for payload in (
        {"items": [{}] * 3},
        {"items": ["x"]},
        {"items": 3},
        {"items": [{"input": "x" * 20_001}]},
    ):
        with pytest.raises(gr.Error):
            demos.preprocess(payload)
    with pytest.raises(ValueError, match=r"must be 0\.\.2, got 3"):
        demos.postprocess([{"input": "x", "output": "y"}] * 3)


def test_a_plot_id_cannot_carry_script() -> None:
    with pytest.raises(ValueError, match=r"elem_id of a gr\.Plot"):
        PlotClick("x'; alert(1)//")


def test_the_look_asks_no_other_host() -> None:
    css = (THEME._get_theme_css() + CSS + head()).replace("xmlns='http://www.w3.org/2000/svg'", "")
    assert "http://" not in css and "https://" not in css and "@import" not in css
