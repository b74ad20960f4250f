"""Rendering moves the demonstration block and nothing else, and knows where every character comes from."""

import pytest
from chat_templates import ALL, GEMMA, MISTRAL, SHOUTS
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import BLOCK, DEMOS, LAYOUTS, QUERY, TEMPLATES, rendered, task
from tiny_models import tiny_tokenizer

from lab.prompts.layout import Layout
from lab.prompts.render import Block, demonstration_blocks, render
from lab.prompts.template import Template
from lab.tasks.task import Demonstration, Query


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ALL)
def test_spans_tile_the_text_and_hold_every_block(name, layout):
    prompt = rendered(name, layout)
    assert "".join(prompt.text[span.start : span.end] for span in prompt.spans) == prompt.text
    assert [span.start for span in prompt.spans[1:]] == [span.end for span in prompt.spans[:-1]]
    assert all(prompt.text[span.start : span.end] == span.block.text for span in prompt.spans)
    kinds = [span.block.kind for span in prompt.spans]
    n_pieces = {"none": 0, "turns": 6}.get(layout, 3)
    assert kinds.count("demonstration") == n_pieces
    assert kinds.count("instruction") == 1
    assert kinds.count("query") == (2 if layout == "eum+restated" else 1)


@pytest.mark.parametrize("name", ["chatml", "llama3"])
def test_the_block_is_the_same_text_in_every_slot_but_turns(name):
    for layout in ("ssp", "esp", "sum", "eum", "eum+restated"):
        assert rendered(name, layout).text.count(BLOCK) == 1
    assert "Article: The cup final" not in rendered(name, "none").text


def test_each_slot_stands_where_its_name_says():
    messages = {layout: rendered("chatml", layout).messages for layout in LAYOUTS}
    system, query = "Name the topic.", "Article: A new phone\nTopic:"
    contents = {layout: [message["content"] for message in messages[layout]] for layout in LAYOUTS}
    assert contents["none"] == [system, query]
    assert contents["ssp"] == [f"{BLOCK}\n\n{system}", query]
    assert contents["esp"] == [f"{system}\n\n{BLOCK}", query]
    assert contents["sum"] == [system, f"{BLOCK}\n\n{query}"]
    assert contents["eum"] == [system, f"{query}\n\n{BLOCK}"]
    assert contents["eum+restated"] == [system, f"{query}\n\n{BLOCK}\n\n{query}"]
    assert contents["turns"] == [
        system, "Article: The cup final\nTopic:", "Sports", "Article: Shares fell\nTopic:", "Business",
        "Article: end of start\nTopic:", "end", query,
    ]  # fmt: skip
    assert [message["role"] for message in messages["turns"]] == [
        "system",
        *["user", "assistant"] * 3,
        "user",
    ]


def test_an_order_changes_the_order_alone():
    demos = (DEMOS[2], DEMOS[0], DEMOS[1])
    for layout in ("ssp", "sum", "eum"):
        blocks = [span.block for span in rendered("chatml", layout, demos).spans if span.block.place >= 0]
        assert [block.place for block in blocks] == [0, 1, 2]
        assert [block.text for block in blocks] == [b.text for b in demonstration_blocks(task(), demos)]


def test_without_an_instruction_there_is_no_system_message_but_the_templates_own():
    assert [m["role"] for m in rendered("chatml", "sum", instruction="  ").messages] == ["user"]
    assert "You are a helpful assistant." in rendered("chatml", "sum", instruction="").text
    assert [m["role"] for m in rendered("chatml", "ssp", instruction="").messages] == ["system", "user"]


def test_an_output_of_several_lines_stays_whole_in_a_turn():
    demo = Demonstration("p", "2 + 2 + 1?", "2 + 2 = 4\nTopic: nearly\nTopic: 5")
    user, assistant, *_ = rendered("chatml", "turns", (demo,), instruction="").messages
    assert user["content"] == "Article: 2 + 2 + 1?\nTopic:"
    assert assistant["content"] == "2 + 2 = 4\nTopic: nearly\nTopic: 5"


def test_an_output_that_also_stands_in_a_marker_is_found_in_its_turn():
    prompt = rendered("chatml", "turns")
    span = next(span for span in prompt.spans if span.block.text == "end")
    assert prompt.text[: span.start].endswith("<|im_start|>assistant\n")


def test_a_system_message_that_the_template_puts_last_is_found_there():
    prompt = rendered(Template(tiny_tokenizer(MISTRAL, bos="<s>")), "turns")
    kinds = [span.block.kind for span in prompt.spans if span.block.kind != "template"]
    assert kinds == ["demonstration"] * 6 + ["instruction", "query"]


def test_alternation_is_kept_where_a_template_demands_it():
    for layout in LAYOUTS:
        roles = [m["role"] for m in rendered(Template(tiny_tokenizer(GEMMA, bos="<s>")), layout).messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


def test_text_that_a_template_rewrites_counts_as_the_templates():
    prompt = rendered(Template(tiny_tokenizer(SHOUTS)), "sum")
    assert "".join(span.block.text for span in prompt.spans) == prompt.text
    assert {span.block.kind for span in prompt.spans} == {"template"}


def test_filler_stands_where_the_demonstrations_would():
    filler = (Block("filler", "The cup is on the tray."),)
    for layout, start in (("sum+filler", 0), ("eum+filler", 29)):
        prompt = render(TEMPLATES["chatml"], task(), Layout.parse(layout), filler, QUERY)
        assert prompt.messages[1]["content"].find("The cup is on the tray.") == start
        assert [s.block.kind for s in prompt.spans].count("filler") == 1


def test_only_plain_text_puts_a_blank_before_the_answer():
    assert rendered("chatml", "sum").candidates(["a", "b"]) == ("a", "b")
    assert rendered("plain", "sum").candidates(["a", "b"]) == (" a", " b")


def test_in_plain_text_turns_and_esp_read_like_sum():
    assert rendered("plain", "turns").text == rendered("plain", "sum").text == rendered("plain", "esp").text
    assert rendered("plain", "ssp").text != rendered("plain", "sum").text


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    st.sampled_from(LAYOUTS),
    st.sampled_from(sorted(ALL)),
)
@settings(max_examples=150, deadline=None)
def test_any_text_is_rendered_as_it_is(asked, output, layout, name):
    """Markup, template code and control characters of a person are text: never executed, never dropped."""
    demos = (Demonstration("p", asked, output),)
    prompt = rendered(name, layout, demos, Query("q", asked, ""), instruction=output)
    assert "".join(span.block.text for span in prompt.spans) == prompt.text
    assert f"Article: {asked.strip()}\nTopic:" in prompt.text
    if output.strip():
        assert output.strip() in prompt.text


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }}", "{% for x in y %}", "<|im_end|>", "{{ messages }}", "{# no #}"]
)
@pytest.mark.parametrize("name", ALL)
def test_template_code_in_a_text_is_not_executed(name, text):
    prompt = rendered(name, "sum", (Demonstration("p", text, text),), Query("q", text, ""), instruction=text)
    assert prompt.text.count(text) >= 4
    assert "49" not in prompt.text.replace("2024", "")
