"""Choices that change while a value is on its way."""

import gradio as gr
import pytest

from lab.ui.widgets.offered import OfferedCheckboxes, OfferedDropdown


def test_a_value_that_is_no_longer_offered_reaches_the_handler():
    assert OfferedDropdown(["a", "b"]).preprocess("c") == "c"
    assert OfferedCheckboxes(["a", "b"]).preprocess(["a", "c"]) == ["a", "c"]
    with pytest.raises(gr.Error):
        gr.Dropdown(["a", "b"]).preprocess("c")


@pytest.mark.parametrize("payload", [None, 3, ["a"], {"a": 1}])
def test_what_is_no_text_is_nothing(payload):
    assert OfferedDropdown(["a"]).preprocess(payload) is None
    assert OfferedCheckboxes(["a"]).preprocess([payload, "a"]) == ["a"]


def test_what_is_no_list_is_an_empty_one():
    assert OfferedCheckboxes(["a"]).preprocess("a") == []


def test_they_are_drawn_as_gradios_own():
    assert OfferedDropdown([]).get_block_name() == "dropdown"
    assert OfferedCheckboxes([]).get_block_name() == "checkboxgroup"
